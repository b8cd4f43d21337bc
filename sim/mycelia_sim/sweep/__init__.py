"""Sweeps: one scenario with many seeds, each judged in virtual time, and one verdict over all.

seeds -> batches -> a fresh process for each -> a line for each seed -> totals -> text and page
"""
