"""What stands around the tabs: menus, commands, notices, status."""
