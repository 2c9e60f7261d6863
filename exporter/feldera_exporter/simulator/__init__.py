"""A whole Feldera instance without Feldera: its states, its event log and its HTTP answers, on a clock the caller owns."""
