#include "errors.h"

#include <string.h>

/* clang-format off */
static const struct kafka_error rows[] = {
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic-missing", false},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "topic-missing", false},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "partition-missing", false},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "not-authorised", false},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "cluster-not-authorised", false},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, "leader-unknown", false},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, "leader-moved", false},
    {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, "leader-moved", false},
    {RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, "leader-moved", false},
    {RD_KAFKA_RESP_ERR__RETRY, "leader-moved", false}, /* it was not sent yet */
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, "not-enough-replicas", false},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, "not-enough-replicas", false},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, "throttled", false},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, "timed-out", false},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, "timed-out", false},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, "timed-out", false},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "timed-out", false},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, "broker-down", false},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, "broker-down", false},
    {RD_KAFKA_RESP_ERR__TRANSPORT, "broker-down", false},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, "broker-down", false},
    {RD_KAFKA_RESP_ERR__RESOLVE, "name-unknown", false},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "all-brokers-down", false},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, "broker-storage", false},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, "login-refused", false},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "login-refused", false},
    {RD_KAFKA_RESP_ERR__SSL, "tls-failed", false},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, "producer-fenced", false},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, "sequence-lost", false},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "sequence-lost", false},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "too-large", true},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, "too-large", true},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, "record-refused", true},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, "record-refused", true},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, "record-refused", true},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, "record-refused", true},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, "record-refused", true},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, "record-refused", true},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "topic-refused", true},
    {RD_KAFKA_RESP_ERR__INVALID_ARG, "record-refused", true},
    {RD_KAFKA_RESP_ERR_UNKNOWN, "unknown", false},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct kafka_error *kafka_error_of(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return &rows[ROWS - 1];
}

const struct kafka_error *kafka_error_in(const char *words)
{
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = rd_kafka_err2str(rows[i].code);
        if (strncmp(words, text, strlen(text)) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *kafka_hint(const char *reason)
{
    static const char *const hints[][2] = {
        {"all-brokers-down",
         "are brokers up, are 'brokers' right, and does a firewall let us through?"},
        {"broker-down", "is the broker up, and does a firewall let us through?"},
        {"broker-storage", "is the broker's disk full or broken?"},
        {"cluster-not-authorised",
         "let the user write: ACL Write on the topic; brokers before 2.8 want IdempotentWrite on "
         "the cluster, too"},
        {"leader-moved", "nothing, where it ends soon: leaders move when brokers restart"},
        {"leader-unknown", "is the broker with the only replica down?"},
        {"login-refused",
         "properties: {sasl.mechanism:, sasl.username:, sasl.password:}; does that "
         "port take the mechanism, and does it know the user?"},
        {"login-token", "'oauth: {token-file:}': is the file there, and the token in it fresh?"},
        {"name-unknown", "is the name in 'brokers' spelled right? brokers also name each other: "
                         "their advertised.listeners must have names that are known here"},
        {"not-authorised", "let the user write to the topic (ACL: Write and Describe on it)"},
        {"not-enough-replicas",
         "are brokers down that have replicas of it? its min.insync.replicas "
         "must be in sync"},
        {"partition-missing", "more partitions for the topic, or another 'partition' of the sink"},
        {"producer-ended", "nothing: another one takes over; why it did is said beside it"},
        {"producer-epoch", "properties: {max.in.flight: 1} makes that rare"},
        {"producer-fenced", "nothing, where it is rare: another producer takes over"},
        {"record-refused", "'dead-letter: {topic:}' keeps what the broker refuses"},
        {"sequence-lost", "nothing, where it is rare: it tells of a broker that lost records"},
        {"throttled", "a quota of the brokers: raise it, or send less"},
        {"timed-out", "is the broker overloaded, or a firewall in between?"},
        {"tls-failed", "does that port speak TLS? properties: {ssl.ca.location: FILE} names whom "
                       "to trust, ssl.certificate.location and ssl.key.location who we are"},
        {"too-large",
         "raise max.message.bytes of the topic, and message.max.bytes in 'properties'; "
         "'record: update' and 'dead-letter' help, too"},
        {"topic-missing", "create the topic, or let brokers do it (auto.create.topics.enable)"},
        {"topic-refused", "a topic's name has letters, digits, '.', '_' and '-', 249 at most"},
        {"unknown", "the broker's own log may say more"},
    };

    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strcmp(hints[i][0], reason) == 0) {
            return hints[i][1];
        }
    }
    return "";
}
