"""The endpoints of the service and the schemas of their requests and answers."""
