"""The site: every report as pages for a browser, made from the same view of the results."""
