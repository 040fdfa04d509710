"""Tax on lines: exclusive and inclusive rates, rounded once per rate and split over lines so that parts sum to the whole."""
