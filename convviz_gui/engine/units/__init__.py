"""What a folder's pictures say of a layer's channels: strongest pictures, statistics, and places in the photo."""
