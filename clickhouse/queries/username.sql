-- What is the username of a channel?
SELECT any(username) AS username FROM channels FINAL WHERE channel_id = {channel_id:Int64}
