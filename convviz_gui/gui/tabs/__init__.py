"""The tabs: from selection and forms to runs and results."""
