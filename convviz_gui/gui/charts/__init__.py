"""Small charts painted by hand."""
