package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.resttestclient.autoconfigure.AutoConfigureRestTestClient;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.test.web.servlet.client.RestTestClient;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** After an outage, every number of the endpoint is the number of its gauge. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "sample.story=false",
            "sample.model.base-url=",
            "sample.model.thinking-time=0",
            "sample.model.patience=30s",
            "spring.application.name=agree" // an application of its own, with counts from nothing
        })
@AutoConfigureRestTestClient
@Import(FakeTicker.Config.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EndpointAndGaugesAgreeTest {
    @Autowired
    private RestTestClient http;

    @Autowired
    private FakeTicker ticker;

    private final JsonMapper json = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    @BeforeAll
    void outage() {
        ask("What is half-open?");
        ticker.advance(Duration.ofMillis(1234));
        become("failing");
        for (int i = 0; i < 5; i++) {
            ask("Why?"); // three fail, two are refused
        }
        become("healthy");
        ticker.advance(Duration.ofSeconds(2));
        ask("Is it over?");
        become("failing");
        ask("And now?");
        ticker.advance(Duration.ofNanos(1));
    }

    @Test
    void everyNumberOfTheEndpoint_isTheNumberOfItsGauge() {
        JsonNode stats = read("/actuator/guardedby/llm").get("stats");

        Map<String, BigDecimal> gauges = new TreeMap<>();
        Map<String, BigDecimal> numbers = new TreeMap<>();
        stats.propertyStream().filter(field -> isNumber(field.getValue())).forEach(field -> {
            numbers.put(field.getKey(), number(field.getValue()));
            gauges.put(field.getKey(), gauge("guardedby.stats." + dotted(field.getKey())));
        });

        assertThat(gauges).isEqualTo(numbers);
        assertThat(numbers.keySet())
                .contains("totalSuccesses", "totalFailures", "timesOpened", "timesHalfOpened", "timesClosed")
                .contains("consecutiveFailures", "totalInputTokens", "totalOutputTokens", "totalEstimatedCost")
                .contains("totalIgnored", "totalRejected", "wouldReject", "stale", "late", "unreported")
                .contains("timeClosed", "timeOpen", "timeHalfOpen");
        assertThat(numbers)
                .containsEntry("totalSuccesses", BigDecimal.valueOf(2))
                .containsEntry("totalFailures", BigDecimal.valueOf(4))
                .containsEntry("totalRejected", BigDecimal.valueOf(2))
                .containsEntry("timesOpened", BigDecimal.ONE)
                .containsEntry("consecutiveFailures", BigDecimal.ONE);
    }

    @Test
    void state_isOneOfThreeGauges() {
        assertThat(read("/actuator/guardedby/llm").get("state").asString()).isEqualTo("CLOSED");
        assertThat(gauge("guardedby.state?tag=state:closed")).isEqualTo(BigDecimal.ONE);
        assertThat(gauge("guardedby.state?tag=state:open")).isEqualTo(BigDecimal.ZERO);
        assertThat(gauge("guardedby.state?tag=state:half_open")).isEqualTo(BigDecimal.ZERO);
    }

    @Test
    void timesOfDay_areGaugesOfTheirAge() {
        JsonNode stats = read("/actuator/guardedby/llm").get("stats");

        for (String what : new String[] {"lastFailure", "lastStateChange"}) {
            Instant at = Instant.parse(stats.get(what + "At").asString());
            BigDecimal youngest = seconds(Duration.between(at, Instant.now()));
            BigDecimal age = gauge("guardedby.stats." + dotted(what) + ".age");
            BigDecimal oldest = seconds(Duration.between(at, Instant.now()));
            assertThat(age).as(what).isBetween(youngest, oldest);
        }
    }

    private static boolean isNumber(JsonNode value) {
        return value.isNumber() || value.asString("").startsWith("PT");
    }

    private static BigDecimal number(JsonNode value) {
        return plain(value.isNumber() ? value.decimalValue() : seconds(Duration.parse(value.asString())));
    }

    private static BigDecimal seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toNanos(), 9);
    }

    private BigDecimal gauge(String meter) {
        return plain(
                read("/actuator/metrics/" + meter).at("/measurements/0/value").decimalValue());
    }

    /** Without trailing zeros, so that 2.0 and 2 are equal. */
    private static BigDecimal plain(BigDecimal number) {
        BigDecimal stripped = number.stripTrailingZeros();
        return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
    }

    private static String dotted(String field) {
        return field.replaceAll("([A-Z])", ".$1").toLowerCase(Locale.ROOT);
    }

    private void become(String mood) {
        http.post().uri("/model/" + mood).exchangeSuccessfully();
    }

    private void ask(String question) {
        http.get().uri("/ask?q={question}", question).exchange().returnResult();
    }

    private JsonNode read(String path) {
        return json.readTree(http.get()
                .uri(path)
                .exchangeSuccessfully()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody());
    }
}
