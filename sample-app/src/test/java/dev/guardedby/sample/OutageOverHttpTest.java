package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.resttestclient.autoconfigure.AutoConfigureRestTestClient;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.client.EntityExchangeResult;
import org.springframework.test.web.servlet.client.RestTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The application as a visitor sees it, over HTTP, on a clock that the test moves. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "sample.story=false",
            "sample.model.base-url=",
            "sample.model.thinking-time=0",
            "sample.model.patience=4s", // the slow model takes 5
            "DAILY_USD=1" // enough for all tests together
        })
@AutoConfigureRestTestClient
@Import(FakeTicker.Config.class)
class OutageOverHttpTest {
    private static final Duration WAIT = Duration.ofMillis(1500);

    @Autowired
    private RestTestClient http;

    @Autowired
    private FakeTicker ticker;

    @Autowired
    private LoopbackModel model;

    private final JsonMapper json = new JsonMapper();

    @BeforeEach
    void healthyAndClosed(@Autowired CircuitBreakerRegistry breakers) {
        become("healthy");
        breakers.get("llm").reset();
    }

    @Test
    void outage_isCutOffAndRecoveredFrom() {
        assertThat(ask("Why?")).isEqualTo("200 CLOSED");

        become("failing");
        assertThat(ask("Why?")).isEqualTo("502 CLOSED");
        assertThat(ask("Why?")).isEqualTo("502 CLOSED");
        assertThat(ask("Why?")).isEqualTo("502 OPEN");
        long reached = model.requests();
        assertThat(ask("Why?")).isEqualTo("503 OPEN");
        become("healthy");
        ticker.advance(WAIT.minusNanos(1));
        assertThat(ask("Why?")).isEqualTo("503 OPEN");
        assertThat(model.requests()).isEqualTo(reached);

        ticker.advance(Duration.ofNanos(1));
        assertThat(ask("Why?")).isEqualTo("200 CLOSED");
        assertThat(model.requests()).isEqualTo(reached + 1);
    }

    @Test
    void modelStillFailing_opensForAnotherWait() {
        become("failing");
        trip();
        ticker.advance(WAIT);

        assertThat(ask("Why?")).isEqualTo("502 OPEN");
        ticker.advance(WAIT.minusNanos(1));
        assertThat(ask("Why?")).isEqualTo("503 OPEN");
    }

    @Test
    void refusal_saysWhyAndWhenToComeBack() {
        become("failing");
        trip();
        ticker.advance(Duration.ofMillis(700));

        EntityExchangeResult<String> refused = get("/ask?q=Why?");

        assertThat(refused.getStatus()).isEqualTo(HttpStatus.SERVICE_UNAVAILABLE);
        assertThat(refused.getResponseHeaders().getFirst("Retry-After")).isEqualTo("1"); // 0.8 s, in whole seconds
        assertThat(refused.getResponseHeaders().getContentType()).isEqualTo(MediaType.APPLICATION_PROBLEM_JSON);
        JsonNode problem = json.readTree(refused.getResponseBody());
        assertThat(problem.get("detail").asString())
                .isEqualTo("Circuit breaker 'llm' is open after 3 consecutive failures, next probe in 0.8 s");
        assertThat(problem.get("state").asString()).isEqualTo("OPEN");
    }

    @Test
    void rateLimit_opensAtTheFirst() {
        become("rate-limited");

        EntityExchangeResult<String> limited = get("/ask?q=Why?");

        assertThat(limited.getStatus()).isEqualTo(HttpStatus.BAD_GATEWAY);
        assertThat(json.readTree(limited.getResponseBody()).get("detail").asString())
                .isEqualTo("the model answered 429 with Retry-After: 2");
        assertThat(ask("Why?")).isEqualTo("503 OPEN");
    }

    @Test
    void eachAnswer_addsItsTokensAndDollarsToTheLastDigit() {
        JsonNode before = breaker().get("stats");
        EntityExchangeResult<String> answer = get("/ask?q=Is+it+open?");
        become("failing");
        ask("Is it open?"); // a 500 reports no usage and costs nothing
        JsonNode after = breaker().get("stats");

        // The instruction has 58 letters and the question 11: 15 and 3 tokens, and 3 for each message and the
        // beginning.
        long in = 15 + 3 + 9;
        long out = (answer.getResponseBody().strip().length() + 3L) / 4;
        assertThat(difference(before, after, "totalInputTokens")).isEqualByComparingTo(decimal(in));
        assertThat(difference(before, after, "totalOutputTokens")).isEqualByComparingTo(decimal(out));
        assertThat(difference(before, after, "totalEstimatedCost"))
                .isEqualByComparingTo(decimal(in * 4 + out * 16).movePointLeft(7));
    }

    @Test
    void streamedAnswer_isTheSame_andPaidTheSame() {
        JsonNode before = breaker().get("stats");
        String whole = body("/ask?q=Is+it+open?").strip();
        JsonNode between = breaker().get("stats");
        String pieces = body("/ask/stream?q=Is+it+open?");
        JsonNode after = breaker().get("stats");

        assertThat(pieces).isEqualTo(whole);
        for (String field : new String[] {"totalInputTokens", "totalOutputTokens", "totalEstimatedCost"}) {
            assertThat(difference(between, after, field))
                    .as(field)
                    .isEqualByComparingTo(difference(before, between, field))
                    .isPositive();
        }
    }

    @Test
    void streamOfAModelThatFails_isAFailure() {
        become("failing");

        for (int i = 0; i < 3; i++) {
            assertThat(get("/ask/stream?q=Why?").getStatus()).isEqualTo(HttpStatus.BAD_GATEWAY);
        }

        assertThat(get("/ask/stream?q=Why?").getStatus()).isEqualTo(HttpStatus.SERVICE_UNAVAILABLE);
        assertThat(breaker().get("state").asString()).isEqualTo("OPEN");
    }

    @Test
    void modelTooSlow_isAFailure_andCostsWhatWasHeld() {
        BigDecimal before = spent();
        become("slow");

        EntityExchangeResult<String> slow = get("/ask?q=Why?");

        assertThat(slow.getStatus()).isEqualTo(HttpStatus.BAD_GATEWAY);
        assertThat(json.readTree(slow.getResponseBody()).get("detail").asString())
                .isEqualTo("the model did not answer in time");
        // 60 tokens at 1.60 USD a million, and a generous guess of what was sent.
        assertThat(spent().subtract(before)).isBetween(new BigDecimal("0.000096"), new BigDecimal("0.00014"));
    }

    private BigDecimal spent() {
        return breaker().at("/budgets/0/spent").decimalValue();
    }

    @Test
    void spentBudget_isTooManyRequests_andSaysUntilWhen() {
        adjust("1");
        try {
            for (String path : new String[] {"/ask?q=Why?", "/ask/stream?q=Why?"}) {
                EntityExchangeResult<String> refused = get(path);

                assertThat(refused.getStatus()).isEqualTo(HttpStatus.TOO_MANY_REQUESTS);
                assertThat(Long.parseLong(
                                String.valueOf(refused.getResponseHeaders().getFirst("Retry-After"))))
                        .isBetween(1L, Duration.ofDays(1).toSeconds());
                assertThat(json.readTree(refused.getResponseBody())
                                .get("detail")
                                .asString())
                        .contains("is out of budget 'daily'")
                        .contains("it resets in ");
            }
            assertThat(breaker().get("state").asString()).isEqualTo("CLOSED");
        } finally {
            adjust("-1");
        }
        assertThat(ask("Why?")).isEqualTo("200 CLOSED");
    }

    private void adjust(String amount) {
        http.post()
                .uri("/actuator/guardedby/llm")
                .contentType(MediaType.APPLICATION_JSON)
                .body("{\"action\": \"adjust\", \"budget\": \"daily\", \"reason\": \"test\", \"amount\": \"" + amount
                        + "\"}")
                .exchangeSuccessfully();
    }

    private String body(String path) {
        return String.valueOf(get(path).getResponseBody());
    }

    @Test
    void question_mayComeInAFormOrAsText() {
        String form = http.post()
                .uri("/ask")
                .contentType(MediaType.APPLICATION_FORM_URLENCODED)
                .body("q=Why%3F")
                .exchangeSuccessfully()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();
        String text = http.post()
                .uri("/ask")
                .contentType(MediaType.TEXT_PLAIN)
                .body("Why?")
                .exchangeSuccessfully()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(form).isEqualTo(text).isEqualTo(get("/ask?q=Why?").getResponseBody());
    }

    @Test
    void noQuestion_isABadRequestAndNoCall() {
        long reached = model.requests();

        assertThat(get("/ask?q=").getStatus()).isEqualTo(HttpStatus.BAD_REQUEST);
        assertThat(get("/ask").getStatus()).isEqualTo(HttpStatus.BAD_REQUEST);
        assertThat(model.requests()).isEqualTo(reached);
    }

    @Test
    void unknownMood_isABadRequestThatNamesTheKnownOnes() {
        http.post()
                .uri("/model/angry")
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.detail")
                .isEqualTo("a model can be healthy, failing, slow or rate-limited, but not angry");
        assertThat(get("/model").getResponseBody()).isEqualTo("the model is healthy\n");
    }

    @Test
    void operator_mayCloseTheBreaker() {
        become("failing");
        trip();
        become("healthy");

        http.post()
                .uri("/actuator/guardedby/llm")
                .contentType(MediaType.APPLICATION_JSON)
                .body("{\"action\": \"force-close\"}")
                .exchangeSuccessfully();

        assertThat(ask("Why?")).isEqualTo("200 CLOSED");
    }

    @Test
    void page_isThere() {
        assertThat(get("/").getResponseBody()).contains("<h1>Ask the assistant</h1>");
    }

    private void become(String mood) {
        http.post().uri("/model/" + mood).exchangeSuccessfully();
    }

    private void trip() {
        for (int i = 0; i < 3; i++) {
            ask("Why?");
        }
    }

    /** The answer's status and the breaker's state after it. */
    private String ask(String question) {
        HttpStatus status = (HttpStatus) http.get()
                .uri("/ask?q={question}", question)
                .exchange()
                .returnResult()
                .getStatus();
        return status.value() + " " + breaker().get("state").asString();
    }

    private JsonNode breaker() {
        return json.readTree(get("/actuator/guardedby/llm").getResponseBody());
    }

    private EntityExchangeResult<String> get(String path) {
        return http.get().uri(path).exchange().expectBody(String.class).returnResult();
    }

    private static BigDecimal difference(JsonNode before, JsonNode after, String field) {
        return after.get(field).decimalValue().subtract(before.get(field).decimalValue());
    }

    private static BigDecimal decimal(long number) {
        return BigDecimal.valueOf(number);
    }
}
