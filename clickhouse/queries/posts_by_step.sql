-- How many posts were published in each step of [from_ms, to_ms), albums once and deleted posts left out?
SELECT intDiv(date_ms - {from_ms:Int64}, {step_ms:Int64}) AS step, count() AS posts
FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
WHERE NOT deleted
GROUP BY step
ORDER BY step
