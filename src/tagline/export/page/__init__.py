"""One HTML file that classifies and explains offline."""
