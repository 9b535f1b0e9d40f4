import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a whole topic, and counts the records that are in another partition than Kafka's own producer puts their key. */
public class PartitionsOfKeys {
  public static void main(String[] args) {
    Map<String, Object> settings = Map.of("bootstrap.servers", args[0]);
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(args[1]).stream().map(of -> new TopicPartition(of.topic(), of.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Map<String, Integer> keys = new HashMap<>();
      long records = 0;
      long elsewhere = 0;
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
          int expected = BuiltInPartitioner.partitionForKey(record.key(), partitions.size());
          records++;
          if (record.partition() != expected) elsewhere++;
          keys.put(new String(record.key()), expected);
        }
      }
      System.out.printf("{\"records\":%d,\"keys\":%d,\"elsewhere\":%d}%n", records, keys.size(), elsewhere);
    }
  }
}
