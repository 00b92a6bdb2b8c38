"""What made the network say so: what is explained, and the parts that several methods of explaining it share."""
