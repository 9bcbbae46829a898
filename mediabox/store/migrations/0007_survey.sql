-- Every name a source's last whole listing met, by why it was left out: `model.survey.Survey` as JSON.
ALTER TABLE source ADD COLUMN survey TEXT;
