"""The Aliyun University Cooperation Program's catalogue as demo data, and a lecture drawn on the spot."""
