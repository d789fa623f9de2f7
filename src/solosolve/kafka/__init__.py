"""All traffic with Kafka."""
