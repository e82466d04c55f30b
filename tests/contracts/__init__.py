"""Every built-in part sits the exam of its kind; broken parts fail it."""
