"""What runs in the inspection's own process (`child.py`): all code that lets libav touch a stranger's file.

Nothing here judges, and nothing else of the project is imported but `transcoding.tail`.
"""
