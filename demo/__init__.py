"""The demo room: drawn camera scenes, the detector trained on them, camera and webhook stand-ins."""
