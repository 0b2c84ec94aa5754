-- Which model and prompt could not assess an event; another one may try it again (storage/reassessments.py).

ALTER TABLE reassessments ADD COLUMN given_up_by text;
