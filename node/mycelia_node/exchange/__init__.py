"""What leaves for spreadsheets, other programs and paper, and what comes from spreadsheets."""
