"""The sections of a channel's page: what needs no pictures, what needs a folder of them, and how both are drawn."""
