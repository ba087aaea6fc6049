package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.JsonPath;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.actuate.HttpApplication.Response;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** The endpoint as a client sees it: a real server, a real client, and Resilience4j's starter on the same class path. */
@ExtendWith(OutputCaptureExtension.class)
class EndpointOverHttpTest {
    private static HttpApplication application;

    @BeforeAll
    static void start() {
        application = HttpApplication.start("management.endpoint.guardedby.access=unrestricted");
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    @Test
    void allBreakers_areAnsweredByName_withTheInstance() throws Exception {
        breaker("all.b");
        breaker("all-a");

        String body = get("/guardedby").body();

        assertThat(field(body, "instance"))
                .matches("orders/\\d+@.+")
                .isEqualTo(field(get("/guardedby").body(), "instance"));
        assertThat(field(body, "breakers['all-a'].name")).isEqualTo("all-a");
        assertThat(field(body, "breakers['all.b']"))
                .isEqualTo(get("/guardedby/all.b").body());
    }

    @Test
    void numbers_areNumbers() throws Exception {
        CircuitBreaker breaker = breaker("numbers");
        breaker.recordCost(1200, 0, new BigDecimal("0.0183"));
        breaker.forceOpen();

        assertThat(get("/guardedby/numbers").body())
                .startsWith("{\"name\":\"numbers\",\"state\":\"OPEN\",\"mode\":\"ENFORCE\",\"admitting\":false,"
                        + "\"reason\":\"OPEN\",\"message\":\"forced open by an operator, next probe in 5 min 0 s\"")
                .contains("\"retryAfter\":\"PT5M\"")
                .contains("\"failures\":0,\"topFailures\":{}")
                .contains("\"totalInputTokens\":1200,")
                .contains("\"totalEstimatedCost\":0.0183,")
                .contains("\"budgets\":[],\"settings\":{\"failure-threshold\":{\"value\":5,\"from\":\"default\"}");
    }

    @Test
    void reading_movesNothing_whoeverReads() throws Exception {
        CircuitBreaker breaker = breaker("due");
        breaker.forceOpen();
        advance(Duration.ofMinutes(5));

        for (String address : new String[] {"/guardedby", "/guardedby/due", "/health", "/prometheus", "/metrics"}) {
            assertThat(get(address).status()).isEqualTo(200);
        }
        assertThat(breaker.stats().timesHalfOpened()).isZero();
        assertThat(field(get("/health").body(), "components.guardedBy.details.due.message"))
                .isEqualTo("open, due now: the next call is a probe");
    }

    @Test
    void D14_unknownName_is404_andNothingIsMade() throws Exception {
        breaker("somebody");
        Response notFound = get("/guardedby/nobody");

        assertThat(notFound.status()).isEqualTo(404);
        assertThat(field(notFound.body(), "error")).startsWith("there is no circuit breaker 'nobody'; there are ");
        assertThat(post("/guardedby/nobody", "{\"action\":\"force-open\"}")).isEqualTo(notFound);
        assertThat(post("/guardedby/nobody", "{\"action\":\"explode\"}")).isEqualTo(notFound);
        assertThat(registry().find("nobody")).isEmpty();
    }

    @Test
    void unknownName_isAnsweredWithTheKnownOnes_atMostTen() {
        CircuitBreakerRegistry few = CircuitBreakerRegistry.of(CircuitBreaker::builder);
        GuardedByEndpoint endpoint =
                new GuardedByEndpoint(few, application.bean(ConfiguredBreakers.class), () -> "orders/1@host");
        StringBuilder told = new StringBuilder(endpoint.unknown("other", null));
        few.get("a");
        few.get("b");
        told.append('\n').append(endpoint.unknown("other", null));
        for (int i = 0; i < 10; i++) {
            few.get("c" + i);
        }
        told.append('\n').append(endpoint.unknown("other", null));

        assertThat(told).hasToString("""
                        there is no circuit breaker 'other'; there are none
                        there is no circuit breaker 'other'; there are a, b
                        there is no circuit breaker 'other'; there are a, b, c0, c1, c2, c3, c4, c5, c6, c7 and 2 more""");
    }

    @Test
    void openingADisabledBreaker_is409_andChangesNothing() throws Exception {
        CircuitBreaker off = breaker("off");
        off.mode(Mode.DISABLED);

        for (String action : new String[] {"force-open", "hold-open"}) {
            assertThat(post("/guardedby/off", "{\"action\":\"" + action + "\"}"))
                    .isEqualTo(new Response(
                            409,
                            "{\"error\":\"" + action + " has no effect on circuit breaker 'off', which is disabled;"
                                    + " switch its mode to enforce first\"}"));
        }
        assertThat(post("/guardedby/off", "{\"action\":\"reset\"}").status()).isEqualTo(200);
        assertThat(off.stats().timesOpened()).isZero();
        assertThat(off.mode()).isEqualTo(Mode.DISABLED);
    }

    @Test
    void modeWithAnotherAction_is400_andChangesNothing() throws Exception {
        CircuitBreaker breaker = breaker("both");

        assertThat(post("/guardedby/both", "{\"action\":\"hold-open\",\"mode\":\"observe\"}"))
                .isEqualTo(new Response(
                        400, "{\"error\":\"mode goes with the action mode alone, but the action was 'hold-open'\"}"));
        assertThat(breaker.lastTransition()).isEmpty();
        assertThat(breaker.mode()).isEqualTo(Mode.ENFORCE);
    }

    @Test
    void r4j1038_whatAnOperatorDid_isInTheLog_andWhatWasRefusedIsNot(CapturedOutput output) throws Exception {
        breaker("logged");
        post("/guardedby/logged", "{\"action\":\"hold-open\"}");
        post("/guardedby/logged", "{\"action\":\"mode\",\"mode\":\"disabled\"}");
        post("/guardedby/logged", "{\"action\":\"force-open\"}");

        assertThat(output.toString()
                        .lines()
                        .filter(line -> line.contains("Operator's action"))
                        .map(line -> line.replaceFirst("^.*(INFO|WARN) .*: Op", "$1 Op")))
                .containsExactly(
                        "INFO Operator's action on circuit breaker 'logged': hold-open",
                        "INFO Operator's action on circuit breaker 'logged': mode disabled");
    }

    @Test
    void unknownActionOrMode_is400_andSaysWhatThereIs() throws Exception {
        CircuitBreaker breaker = breaker("bad");

        String actions =
                "{\"error\":\"action must be one of force-open, hold-open, force-close, reset, mode, set-limit, adjust, reconfigure, but was ";
        assertThat(post("/guardedby/bad", "{\"action\":\"explode\"}"))
                .isEqualTo(new Response(400, actions + "'explode'\"}"));
        assertThat(post("/guardedby/bad", "{}")).isEqualTo(new Response(400, actions + "missing\"}"));
        String modes = "{\"error\":\"mode must be one of enforce, observe, disabled, but was ";
        assertThat(post("/guardedby/bad", "{\"action\":\"mode\",\"mode\":\"off\"}"))
                .isEqualTo(new Response(400, modes + "'off'\"}"));
        assertThat(post("/guardedby/bad", "{\"action\":\"mode\"}")).isEqualTo(new Response(400, modes + "missing\"}"));
        assertThat(breaker.lastTransition()).isEmpty();
        assertThat(breaker).hasToString("CircuitBreaker[name=bad, state=closed, failures=0/5]");
    }

    @Test
    void operator_movesABreaker_andSeesItMoved() throws Exception {
        breaker("moved");
        StringBuilder seen = new StringBuilder();
        for (String action : new String[] {"force-open", "hold-open", "force-close", "hold-open", "reset"}) {
            Response response = post("/guardedby/moved", "{\"action\":\"" + action + "\"}");
            seen.append(response.status())
                    .append(' ')
                    .append(field(response.body(), "message"))
                    .append('\n');
        }
        Response observed = post("/guardedby/moved", "{\"action\":\"mode\",\"mode\":\"observe\"}");

        assertThat(seen).hasToString("""
                        200 forced open by an operator, next probe in 5 min 0 s
                        200 held open by an operator
                        200 closed
                        200 held open by an operator
                        200 closed
                        """);
        assertThat(observed.status()).isEqualTo(200);
        assertThat(field(observed.body(), "mode")).isEqualTo("OBSERVE");
    }

    @Test
    void r4j1038_readOnly_isTheDefault() throws Exception {
        try (HttpApplication readOnly = HttpApplication.start()) {
            readOnly.bean(CircuitBreakerRegistry.class).get("llm");

            assertThat(readOnly.get("/guardedby/llm").status()).isEqualTo(200);
            assertThat(readOnly.post("/guardedby/llm", "{\"action\":\"force-open\"}")
                            .status())
                    .isEqualTo(405);
        }
    }

    @Test
    void endpointAndGauges_agreeToTheLastDigit() throws Exception {
        CircuitBreaker breaker = breaker("agree");
        breaker.recordCost(123_456_789_012L, 7, new BigDecimal("0.000000001"));
        breaker.recordCost(1, 2, new BigDecimal("123.456789012"));
        breaker.acquire().success();
        advance(Duration.ofMillis(1_234));
        for (int i = 0; i < 5; i++) {
            breaker.acquire().failure(new IOException());
        }
        advance(Duration.ofNanos(1));

        Map<String, Object> stats = JsonPath.read(get("/guardedby/agree").body(), "$.stats");
        Map<String, String> gauges = stats("agree");
        Map<String, String> differences = new LinkedHashMap<>();
        stats.forEach((field, value) -> {
            if (!field.endsWith("At") && !field.equals("state")) {
                BigDecimal shown =
                        value instanceof Number ? new BigDecimal(value.toString()) : seconds(value.toString());
                String gauge = gauges.get(snake(field) + (value instanceof Number ? "" : "_seconds"));
                if (gauge == null || shown.compareTo(new BigDecimal(gauge)) != 0) {
                    differences.put(field, shown + " is not " + gauge);
                }
            }
        });

        assertThat(stats).hasSize(21);
        assertThat(differences).isEmpty();
    }

    private static BigDecimal seconds(String duration) {
        return BigDecimal.valueOf(Duration.parse(duration).toNanos(), 9);
    }

    private static Map<String, String> stats(String breaker) throws Exception {
        String prefix = "guardedby_stats_";
        return get("/prometheus")
                .body()
                .lines()
                .filter(line -> line.startsWith(prefix) && line.contains("{name=\"" + breaker + "\"}"))
                .collect(Collectors.toMap(
                        line -> line.substring(prefix.length(), line.indexOf('{')),
                        line -> line.substring(line.lastIndexOf(' ') + 1)));
    }

    @Test
    void r4j2299_scrape_hasEveryOutcomeAndReason_withOneSetOfTagKeysAMeter() throws Exception {
        CircuitBreaker breaker = breaker("scraped");
        breaker.run(() -> advance(Duration.ofMillis(250)));
        breaker.acquire().ignore();
        for (int i = 0; i < 5; i++) {
            breaker.acquire().failure(new IOException());
        }
        assertThat(breaker.tryAcquire()).isEmpty();

        String scrape = get("/prometheus").body();

        assertThat(scrape.lines()
                        .filter(line ->
                                line.matches("guardedby_(calls_seconds_(count|sum)|rejections_total).*scraped.*")))
                .containsExactlyInAnyOrder(
                        "guardedby_calls_seconds_count{name=\"scraped\",outcome=\"failure\"} 5",
                        "guardedby_calls_seconds_sum{name=\"scraped\",outcome=\"failure\"} 0.0",
                        "guardedby_calls_seconds_count{name=\"scraped\",outcome=\"ignored\"} 1",
                        "guardedby_calls_seconds_sum{name=\"scraped\",outcome=\"ignored\"} 0.0",
                        "guardedby_calls_seconds_count{name=\"scraped\",outcome=\"success\"} 1",
                        "guardedby_calls_seconds_sum{name=\"scraped\",outcome=\"success\"} 0.25",
                        "guardedby_rejections_total{name=\"scraped\",reason=\"held_open\"} 0.0",
                        "guardedby_rejections_total{name=\"scraped\",reason=\"open\"} 1.0",
                        "guardedby_rejections_total{name=\"scraped\",reason=\"probing\"} 0.0",
                        "guardedby_rejections_total{name=\"scraped\",reason=\"ramp_up\"} 0.0",
                        "guardedby_rejections_total{name=\"scraped\",reason=\"budget\"} 0.0");
        assertThat(scrape)
                .contains("guardedby_cost_usd_total{confidence=\"reported\",name=\"scraped\"} 0.0")
                .contains("guardedby_stats_last_state_change_age_seconds{name=\"scraped\"}");
        Map<String, Set<String>> keys = scrape.lines()
                .filter(line -> line.startsWith("guardedby_"))
                .collect(Collectors.groupingBy(
                        line -> line.substring(0, line.indexOf('{')),
                        Collectors.mapping(EndpointOverHttpTest::tagKeys, Collectors.toSet())));
        assertThat(keys)
                .hasSizeGreaterThan(25)
                .allSatisfy((meter, sets) -> assertThat(sets).hasSize(1));
    }

    @Test
    void everyMeter_saysWhatItIs() throws Exception {
        breaker("described");

        assertThat(get("/prometheus").body().lines().filter(line -> line.startsWith("# HELP guardedby_")))
                .hasSizeGreaterThan(25)
                .allMatch(line -> line.matches("# HELP guardedby_\\w+ \\S.+"));
    }

    private static String tagKeys(String line) {
        return Stream.of(
                        line.substring(line.indexOf('{') + 1, line.indexOf('}')).split(","))
                .map(tag -> tag.substring(0, tag.indexOf('=')))
                .collect(Collectors.joining(","));
    }

    @Test
    void resilience4j_worksBesideIt() throws Exception {
        breaker("llm");
        application
                .bean(io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry.class)
                .circuitBreaker("llm")
                .transitionToOpenState();

        assertThat(field(get("/circuitbreakers").body(), "circuitBreakers.llm.state"))
                .isEqualTo("OPEN");
        assertThat(field(get("/guardedby/llm").body(), "state")).isEqualTo("CLOSED");
        assertThat(post("/guardedby/llm", "{\"action\":\"force-open\"}").status())
                .isEqualTo(200);
        assertThat(post("/circuitbreakers/llm", "{\"updateState\":\"CLOSE\"}").status())
                .isEqualTo(200);
        assertThat(field(get("/circuitbreakers").body(), "circuitBreakers.llm.state"))
                .isEqualTo("CLOSED");
        assertThat(field(get("/guardedby/llm").body(), "state")).isEqualTo("OPEN");
        String health = get("/health").body();
        assertThat(field(health, "components.guardedBy.details.llm.state")).isEqualTo("OPEN");
        assertThat(field(health, "components.circuitBreakers.details.llm.details.state"))
                .isEqualTo("CLOSED");
        assertThat(get("/prometheus").body())
                .contains("resilience4j_circuitbreaker_state{")
                .contains("guardedby_state{name=\"llm\",state=\"open\"} 1.0");
    }

    private static CircuitBreakerRegistry registry() {
        return application.bean(CircuitBreakerRegistry.class);
    }

    private static CircuitBreaker breaker(String name) {
        return registry().get(name);
    }

    private static void advance(Duration time) {
        application.bean(AtomicLong.class).addAndGet(time.toNanos());
    }

    private static Response get(String path) throws Exception {
        return application.get(path);
    }

    private static Response post(String path, String json) throws Exception {
        return application.post(path, json);
    }

    private static String snake(String camel) {
        return camel.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
