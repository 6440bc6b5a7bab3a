"""The comparison with anomalib: what each side runs, in processes of their own."""
