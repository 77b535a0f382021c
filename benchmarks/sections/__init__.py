"""What is measured, section by section; each yields figures and may fail by itself."""
