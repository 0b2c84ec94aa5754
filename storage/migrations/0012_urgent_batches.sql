-- Urgent batches are claimed before the others; however many wait, a claim reads only those that it takes.

DROP INDEX batches_waiting;
CREATE INDEX batches_waiting ON batches ((close_reason IS NOT DISTINCT FROM 'urgent') DESC, closed_at)
    WHERE state IN ('closed', 'assessing');
