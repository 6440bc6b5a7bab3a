"""Student–teacher: what a student that saw good images alone cannot say after its teacher (EfficientAD)."""
