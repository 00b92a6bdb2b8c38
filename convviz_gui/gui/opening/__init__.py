"""The dialog that opens a network: from the library, a weights file, the user's own code, or as it was open before."""
