"""One cell from its name to its record: installed, migrated, served, asked, judged, recorded."""
