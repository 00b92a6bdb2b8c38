"""Where networks come from: the demo, torchvision and timm."""
