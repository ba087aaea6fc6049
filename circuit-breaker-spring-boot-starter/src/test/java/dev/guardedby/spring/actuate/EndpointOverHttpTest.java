package dev.guardedby.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Cost;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.skyscreamer.jsonassert.JSONAssert;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The endpoint as a client sees it: a real server, a real client, and Resilience4j's starter on the same class path. */
class EndpointOverHttpTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private ConfigurableApplicationContext context;

    @AfterEach
    void stop() {
        context.close();
    }

    @Test
    void openBreaker_asOneDocument() throws Exception {
        start(
                "guardedby.templates.slow.probe-timeout=2m",
                "guardedby.breakers.llm.extends=slow",
                "guardedby.breakers.llm.failure-threshold=3",
                "guardedby.breakers.llm.recovery-timeout=30s",
                "guardedby.defaults.ignore-exceptions=java.lang.ArithmeticException");
        CircuitBreaker llm = breaker("llm");
        llm.call(Cost.ZERO, permit -> {
            permit.recordCost(1200, 340, new BigDecimal("0.0183"));
            return "an answer";
        });
        advance(5_000);
        for (int i = 0; i < 3; i++) {
            llm.acquire().failure(new SocketTimeoutException("a secret"));
        }
        assertThat(llm.tryAcquire()).isEmpty();
        advance(17_700);

        Response response = get("/guardedby/llm");

        assertThat(response.status).isEqualTo(200);
        assertJson(withoutInstants(response.body), """
                {
                  "name": "llm", "state": "OPEN", "mode": "ENFORCE", "admitting": false, "reason": "OPEN",
                  "message": "open after 3 consecutive failures, next probe in 12.3 s",
                  "since": "now", "retryAfter": "PT12.3S",
                  "lastTransition": {
                    "from": "CLOSED", "to": "OPEN", "cause": "FAILURES", "failures": 3,
                    "topFailures": { "java.net.SocketTimeoutException": 3 }
                  },
                  "stats": {
                    "totalSuccesses": 1, "totalFailures": 3, "timesOpened": 1, "timesHalfOpened": 0, "timesClosed": 0,
                    "lastFailureAt": "now", "lastStateChangeAt": "now", "consecutiveFailures": 3,
                    "totalInputTokens": 1200, "totalOutputTokens": 340, "totalEstimatedCost": 0.0183,
                    "state": "OPEN", "totalIgnored": 0, "totalRejected": 1, "wouldReject": 0, "stale": 0, "late": 0,
                    "unreported": 0, "timeClosed": "PT5S", "timeOpen": "PT17.7S", "timeHalfOpen": "PT0S"
                  },
                  "budgets": [],
                  "settings": {
                    "failure-threshold": { "value": 3, "from": "breakers.llm" },
                    "recovery-timeout": { "value": "PT30S", "from": "breakers.llm" },
                    "probes": { "value": 1, "from": "default" },
                    "successes-to-close": { "value": 1, "from": "default" },
                    "probe-timeout": { "value": "PT2M", "from": "templates.slow" },
                    "record-exceptions": { "value": [], "from": "default" },
                    "ignore-exceptions": { "value": ["java.lang.ArithmeticException"], "from": "defaults" },
                    "trip-exceptions": { "value": [], "from": "default" },
                    "mode": { "value": "enforce", "from": "default" }
                  }
                }
                """);
    }

    @Test
    void freshBreaker_hasNoReasonNoSinceNoTransition() throws Exception {
        start("guardedby.breakers.llm.mode=observe");

        assertJson(without("settings", get("/guardedby/llm").body), """
                {
                  "name": "llm", "state": "CLOSED", "mode": "OBSERVE", "admitting": true, "message": "closed",
                  "stats": {
                    "totalSuccesses": 0, "totalFailures": 0, "timesOpened": 0, "timesHalfOpened": 0, "timesClosed": 0,
                    "lastFailureAt": null, "lastStateChangeAt": null, "consecutiveFailures": 0,
                    "totalInputTokens": 0, "totalOutputTokens": 0, "totalEstimatedCost": 0,
                    "state": "CLOSED", "totalIgnored": 0, "totalRejected": 0, "wouldReject": 0, "stale": 0, "late": 0,
                    "unreported": 0, "timeClosed": "PT0S", "timeOpen": "PT0S", "timeHalfOpen": "PT0S"
                  },
                  "budgets": []
                }
                """);
    }

    @Test
    void allBreakers_byName_withTheInstance() throws Exception {
        start("spring.application.name=orders", "guardedby.breakers.b=", "guardedby.breakers.a=");

        String body = get("/guardedby").body;

        assertThat(field(body, "instance"))
                .matches("orders/\\d+@.+")
                .isEqualTo(field(get("/guardedby").body, "instance"));
        assertThat(field(body, "breakers.*.name")).isEqualTo("[\"a\",\"b\"]");
    }

    @Test
    void dueOpen_isShownAsOpenAndDue_andReadingMovesNothing() throws Exception {
        start("guardedby.breakers.llm.recovery-timeout=30s", "management.endpoint.health.show-details=always");
        breaker("llm").forceOpen();
        advance(30_000);

        for (String address : new String[] {"/guardedby", "/guardedby/llm", "/health", "/prometheus"}) {
            assertThat(get(address).status).isEqualTo(200);
        }
        String body = get("/guardedby/llm").body;
        assertThat(field(body, "state")).isEqualTo("OPEN");
        assertThat(field(body, "admitting")).isEqualTo("true");
        assertThat(field(body, "message")).isEqualTo("open, due now: the next call is a probe");
        assertThat(body).doesNotContain("retryAfter").doesNotContain("reason");
        assertThat(breaker("llm").stats().timesHalfOpened()).isZero();
    }

    @Test
    void unknownName_is404_andNothingIsMade() throws Exception {
        start("management.endpoint.guardedby.access=unrestricted");

        assertThat(get("/guardedby/nobody"))
                .isEqualTo(new Response(404, "{\"error\":\"there is no circuit breaker 'nobody'\"}"));
        assertThat(post("/guardedby/nobody", "{\"action\":\"reset\"}"))
                .isEqualTo(new Response(404, "{\"error\":\"there is no circuit breaker 'nobody'\"}"));
        assertThat(context.getBean(CircuitBreakerRegistry.class).all()).isEmpty();
    }

    @Test
    void unknownActionOrMode_is400_andSaysWhatThereIs() throws Exception {
        start("management.endpoint.guardedby.access=unrestricted", "guardedby.breakers.llm=");

        String actions = "{\"error\":\"action must be one of force-open, hold-open, force-close, reset, mode, but was ";
        assertThat(post("/guardedby/llm", "{\"action\":\"set-limit\",\"budget\":\"daily\"}"))
                .isEqualTo(new Response(400, actions + "'set-limit'\"}"));
        assertThat(post("/guardedby/llm", "{}")).isEqualTo(new Response(400, actions + "missing\"}"));
        String modes = "{\"error\":\"mode must be one of enforce, observe, disabled, but was ";
        assertThat(post("/guardedby/llm", "{\"action\":\"mode\",\"mode\":\"off\"}"))
                .isEqualTo(new Response(400, modes + "'off'\"}"));
        assertThat(post("/guardedby/llm", "{\"action\":\"mode\"}")).isEqualTo(new Response(400, modes + "missing\"}"));
        assertThat(breaker("llm").lastTransition()).isEmpty();
    }

    @Test
    void readOnly_isTheDefault() throws Exception {
        start("guardedby.breakers.llm=");

        assertThat(post("/guardedby/llm", "{\"action\":\"force-open\"}").status).isEqualTo(405);
        assertThat(breaker("llm").lastTransition()).isEmpty();
    }

    @Test
    void operator_movesABreaker_andSeesItMoved() throws Exception {
        start("management.endpoint.guardedby.access=unrestricted", "guardedby.breakers.llm=");

        Map<String, String> seen = new LinkedHashMap<>();
        for (String action : new String[] {"force-open", "hold-open", "force-close", "hold-open", "reset"}) {
            Response response = post("/guardedby/llm", "{\"action\":\"" + action + "\"}");
            assertThat(response.status).isEqualTo(200);
            seen.merge(action, field(response.body, "state") + " " + field(response.body, "message"), (a, b) -> b);
        }
        Response observed = post("/guardedby/llm", "{\"action\":\"mode\",\"mode\":\"observe\"}");

        assertThat(seen)
                .containsExactly(
                        Map.entry("force-open", "OPEN forced open by an operator, next probe in 5 min 0 s"),
                        Map.entry("hold-open", "OPEN held open by an operator"),
                        Map.entry("force-close", "CLOSED closed"),
                        Map.entry("reset", "CLOSED closed"));
        assertThat(observed.status).isEqualTo(200);
        assertThat(field(observed.body, "mode")).isEqualTo("OBSERVE");
        assertJson(field(observed.body, "settings.mode"), "{\"value\":\"observe\",\"from\":\"runtime\"}");
    }

    @Test
    void breakerBuiltByTheApplication_showsWhatItSaysOfItself() throws Exception {
        start(Own.class);

        assertJson(field(get("/guardedby/own.one").body, "settings"), """
                {
                  "failure-threshold": { "value": 7, "from": "runtime" },
                  "recovery-timeout": { "value": "PT5M", "from": "runtime" },
                  "mode": { "value": "enforce", "from": "runtime" }
                }
                """);
    }

    @Test
    void endpointAndGauges_agreeToTheLastDigit() throws Exception {
        start("guardedby.breakers.llm.failure-threshold=2");
        CircuitBreaker llm = breaker("llm");
        llm.recordCost(123_456_789_012L, 7, new BigDecimal("0.000000001"));
        llm.recordCost(1, 2, new BigDecimal("123.456789012"));
        llm.acquire().success();
        advance(1_234);
        llm.acquire().failure(new IOException());
        llm.acquire().failure(new IOException());
        advance(1);

        String stats = field(get("/guardedby/llm").body, "stats");
        Map<String, String> gauges = prometheus("guardedby_stats_");
        Map<String, Object> fields = com.jayway.jsonpath.JsonPath.parse(stats).json();
        Map<String, String> shown = new LinkedHashMap<>();
        fields.forEach((field, value) -> {
            if (value instanceof Number number) {
                shown.put(
                        snake(field),
                        new BigDecimal(gauges.get(snake(field))).compareTo(new BigDecimal(number.toString())) == 0
                                ? "agrees"
                                : gauges.get(snake(field)) + " but " + number);
            }
        });

        assertThat(shown)
                .hasSize(15)
                .allSatisfy((field, comparison) -> assertThat(comparison).isEqualTo("agrees"));
        assertThat(gauges).containsEntry("time_closed_seconds", "1.234").containsEntry("time_open_seconds", "0.001");
        assertThat(stats).contains("\"timeClosed\":\"PT1.234S\"").contains("\"timeOpen\":\"PT0.001S\"");
    }

    @Test
    void scrape_hasEveryOutcomeAndReason_withTheSameTagsEach() throws Exception {
        start("guardedby.breakers.llm.failure-threshold=1", "guardedby.breakers.quiet=");
        CircuitBreaker llm = breaker("llm");
        llm.run(() -> advance(250));
        llm.acquire().ignore();
        llm.acquire().failure(new IOException());
        assertThat(llm.tryAcquire()).isEmpty();

        String scrape = get("/prometheus").body;

        assertThat(scrape.lines()
                        .filter(line -> line.matches("guardedby_(calls_seconds_(count|sum)|rejections_total).*"))
                        .filter(line -> !line.contains("quiet")))
                .containsExactlyInAnyOrder(
                        "guardedby_calls_seconds_count{name=\"llm\",outcome=\"failure\"} 1",
                        "guardedby_calls_seconds_sum{name=\"llm\",outcome=\"failure\"} 0.0",
                        "guardedby_calls_seconds_count{name=\"llm\",outcome=\"ignored\"} 1",
                        "guardedby_calls_seconds_sum{name=\"llm\",outcome=\"ignored\"} 0.0",
                        "guardedby_calls_seconds_count{name=\"llm\",outcome=\"success\"} 1",
                        "guardedby_calls_seconds_sum{name=\"llm\",outcome=\"success\"} 0.25",
                        "guardedby_rejections_total{name=\"llm\",reason=\"held_open\"} 0.0",
                        "guardedby_rejections_total{name=\"llm\",reason=\"open\"} 1.0",
                        "guardedby_rejections_total{name=\"llm\",reason=\"probing\"} 0.0");
        Map<String, java.util.Set<String>> keys = scrape.lines()
                .filter(line -> line.startsWith("guardedby_"))
                .collect(Collectors.groupingBy(
                        line -> line.substring(0, line.indexOf('{')),
                        Collectors.mapping(
                                line -> Stream.of(line.substring(line.indexOf('{') + 1, line.indexOf('}'))
                                                .split(","))
                                        .map(tag -> tag.substring(0, tag.indexOf('=')))
                                        .collect(Collectors.joining(",")),
                                Collectors.toSet())));
        assertThat(keys)
                .hasSizeGreaterThan(25)
                .allSatisfy((meter, tags) -> assertThat(tags).hasSize(1));
        assertThat(scrape).contains("guardedby_cost_usd_total{confidence=\"reported\",name=\"llm\"} 0.0");
    }

    @Test
    void resilience4j_worksBesideIt() throws Exception {
        start(
                "management.endpoint.guardedby.access=unrestricted",
                "guardedby.breakers.llm=",
                "resilience4j.circuitbreaker.instances.llm.sliding-window-size=5",
                "management.health.circuitbreakers.enabled=true",
                "management.endpoint.health.show-details=always",
                "resilience4j.circuitbreaker.instances.llm.register-health-indicator=true");
        var theirs = context.getBean(io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry.class);
        theirs.circuitBreaker("llm").transitionToOpenState();

        assertThat(field(get("/circuitbreakers").body, "circuitBreakers.llm.state"))
                .isEqualTo("OPEN");
        assertThat(field(get("/guardedby/llm").body, "state")).isEqualTo("CLOSED");
        assertThat(post("/guardedby/llm", "{\"action\":\"force-open\"}").status).isEqualTo(200);
        assertThat(post("/circuitbreakers/llm", "{\"updateState\":\"CLOSE\"}").status)
                .isEqualTo(200);
        assertThat(field(get("/circuitbreakers").body, "circuitBreakers.llm.state"))
                .isEqualTo("CLOSED");
        assertThat(field(get("/guardedby/llm").body, "state")).isEqualTo("OPEN");
        String health = get("/health").body;
        assertThat(field(health, "components.guardedBy.details.llm.state")).isEqualTo("OPEN");
        assertThat(field(health, "components.circuitBreakers.details.llm.details.state"))
                .isEqualTo("CLOSED");
        assertThat(get("/prometheus").body)
                .contains("resilience4j_circuitbreaker_state{")
                .contains("guardedby_state{name=\"llm\",state=\"open\"} 1.0");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class App {
        @Bean
        AtomicLong time() {
            return new AtomicLong(-5);
        }

        @Bean
        LongSupplier guardedByTicker(AtomicLong time) {
            return time::get;
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Own extends App {
        @Bean
        CircuitBreaker ownBreaker() {
            return CircuitBreaker.builder("own.one").failureThreshold(7).build();
        }
    }

    record Response(int status, String body) {}

    private void start(String... properties) {
        start(App.class, properties);
    }

    private void start(Class<?> application, String... properties) {
        context = new SpringApplicationBuilder(application)
                .properties(
                        "server.port=0", "management.endpoints.web.exposure.include=*", "spring.main.banner-mode=off")
                .properties(properties)
                .run();
    }

    private CircuitBreaker breaker(String name) {
        return context.getBean(CircuitBreakerRegistry.class).find(name).orElseThrow();
    }

    private void advance(long millis) {
        context.getBean(AtomicLong.class).addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    private Response get(String path) throws Exception {
        return send(HttpRequest.newBuilder(), path);
    }

    private Response post(String path, String json) throws Exception {
        return send(
                HttpRequest.newBuilder()
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json)),
                path);
    }

    private Response send(HttpRequest.Builder request, String path) throws Exception {
        String port = context.getEnvironment().getProperty("local.server.port");
        URI address = URI.create("http://localhost:" + port + "/actuator" + path);
        HttpResponse<String> response = CLIENT.send(request.uri(address).build(), HttpResponse.BodyHandlers.ofString());
        return new Response(response.statusCode(), response.body());
    }

    private Map<String, String> prometheus(String prefix) throws Exception {
        return get("/prometheus")
                .body
                .lines()
                .filter(line -> line.startsWith(prefix))
                .collect(Collectors.toMap(
                        line -> line.substring(prefix.length(), line.indexOf('{')),
                        line -> line.substring(line.lastIndexOf(' ') + 1)));
    }

    private static String snake(String camel) {
        return camel.replaceAll("([A-Z])", "_$1").toLowerCase(java.util.Locale.ROOT);
    }

    private static String field(String json, String path) {
        Object value = com.jayway.jsonpath.JsonPath.parse(json).read("$." + path);
        return value instanceof String text
                ? text
                : com.jayway.jsonpath.JsonPath.parse(value).jsonString();
    }

    private static String without(String key, String json) {
        return com.jayway.jsonpath.JsonPath.parse(json).delete("$." + key).jsonString();
    }

    private static String withoutInstants(String json) {
        return json.replaceAll("\"\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z\"", "\"now\"");
    }

    private static void assertJson(String actual, String expected) throws Exception {
        JSONAssert.assertEquals(expected, actual, true);
    }
}
