"""Items: work on many of them that streams, resumes and never believes a half-written result."""
