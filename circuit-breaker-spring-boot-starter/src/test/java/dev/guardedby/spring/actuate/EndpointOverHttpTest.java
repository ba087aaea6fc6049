package dev.guardedby.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.JsonPath;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The endpoint as a client sees it: a real server, a real client, and Resilience4j's starter on the same class path. */
@ExtendWith(OutputCaptureExtension.class)
class EndpointOverHttpTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static ConfigurableApplicationContext context;

    @BeforeAll
    static void start() {
        context = application("management.endpoint.guardedby.access=unrestricted");
    }

    private static ConfigurableApplicationContext application(String... properties) {
        return new SpringApplicationBuilder(App.class)
                .properties(
                        "server.port=0",
                        "management.endpoints.web.exposure.include=*",
                        "management.endpoint.health.show-details=always",
                        "management.health.circuitbreakers.enabled=true",
                        "spring.application.name=orders",
                        "resilience4j.circuitbreaker.instances.llm.register-health-indicator=true")
                .properties(properties)
                .run();
    }

    @AfterAll
    static void stop() {
        context.close();
    }

    @Test
    void allBreakers_areAnsweredByName_withTheInstance() throws Exception {
        breaker("all.b");
        breaker("all-a");

        String body = get("/guardedby").body;

        assertThat(field(body, "instance"))
                .matches("orders/\\d+@.+")
                .isEqualTo(field(get("/guardedby").body, "instance"));
        assertThat(field(body, "breakers['all-a'].name")).isEqualTo("all-a");
        assertThat(field(body, "breakers['all.b']")).isEqualTo(get("/guardedby/all.b").body);
    }

    @Test
    void numbers_areNumbers() throws Exception {
        CircuitBreaker breaker = breaker("numbers");
        breaker.recordCost(1200, 0, new BigDecimal("0.0183"));
        breaker.forceOpen();

        assertThat(get("/guardedby/numbers").body)
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
            assertThat(get(address).status).isEqualTo(200);
        }
        assertThat(breaker.stats().timesHalfOpened()).isZero();
        assertThat(field(get("/health").body, "components.guardedBy.details.due.message"))
                .isEqualTo("open, due now: the next call is a probe");
    }

    @Test
    void unknownName_is404_andNothingIsMade() throws Exception {
        breaker("somebody");
        Response notFound = get("/guardedby/nobody");

        assertThat(notFound.status).isEqualTo(404);
        assertThat(field(notFound.body, "error")).startsWith("there is no circuit breaker 'nobody'; there are ");
        assertThat(post("/guardedby/nobody", "{\"action\":\"reset\"}")).isEqualTo(notFound);
        assertThat(post("/guardedby/nobody", "{\"action\":\"explode\"}")).isEqualTo(notFound);
        assertThat(registry().find("nobody")).isEmpty();
    }

    @Test
    void unknownName_isAnsweredWithTheKnownOnes_atMostTen() {
        CircuitBreakerRegistry few = CircuitBreakerRegistry.of(CircuitBreaker::builder);
        GuardedByEndpoint endpoint =
                new GuardedByEndpoint(few, context.getBean(ConfiguredBreakers.class), "orders/1@host");
        StringBuilder told = new StringBuilder(endpoint.unknown("x"));
        few.get("a");
        few.get("b");
        told.append('\n').append(endpoint.unknown("x"));
        for (int i = 0; i < 10; i++) {
            few.get("c" + i);
        }
        told.append('\n').append(endpoint.unknown("x"));

        assertThat(told).hasToString("""
                        there is no circuit breaker 'x'; there are none
                        there is no circuit breaker 'x'; there are a, b
                        there is no circuit breaker 'x'; there are a, b, c0, c1, c2, c3, c4, c5, c6, c7 and 2 more""");
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
        assertThat(post("/guardedby/off", "{\"action\":\"reset\"}").status).isEqualTo(200);
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
    void whatAnOperatorDid_isInTheLog_andWhatWasRefusedIsNot(CapturedOutput output) throws Exception {
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
                "{\"error\":\"action must be one of force-open, hold-open, force-close, reset, mode, reconfigure, but was ";
        assertThat(post("/guardedby/bad", "{\"action\":\"set-limit\",\"budget\":\"daily\"}"))
                .isEqualTo(new Response(400, actions + "'set-limit'\"}"));
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
            seen.append(response.status)
                    .append(' ')
                    .append(field(response.body, "message"))
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
        assertThat(observed.status).isEqualTo(200);
        assertThat(field(observed.body, "mode")).isEqualTo("OBSERVE");
    }

    @Test
    void reconfigure_changesALiveBreaker_whichAnswersWithWhatHolds(CapturedOutput output) throws Exception {
        CircuitBreaker breaker = breaker("tuned");
        breaker.acquire().failure(new IOException());

        Response response = post(
                "/guardedby/tuned",
                "{\"action\":\"reconfigure\",\"settings\":\"failureThreshold=7, window=60s ,recovery-jitter=0.5,mode=observe\"}");

        assertThat(response.status).isEqualTo(200);
        assertThat(response).isEqualTo(get("/guardedby/tuned"));
        assertThat(field(response.body, "settings.failure-threshold")).isEqualTo(runtime("7"));
        assertThat(field(response.body, "settings.window")).isEqualTo(runtime("\"PT1M\""));
        assertThat(field(response.body, "settings.mode")).isEqualTo(runtime("\"observe\""));
        assertThat(field(response.body, "settings.probes")).isEqualTo("{\"value\":1,\"from\":\"default\"}");
        assertThat(field(response.body, "mode")).isEqualTo("OBSERVE");
        assertThat(breaker).hasToString("CircuitBreaker[name=tuned, state=closed, failures=1/7]");
        assertThat(output)
                .contains("Operator's action on circuit breaker 'tuned': reconfigure"
                        + " failure-threshold=7,window=PT1M,recovery-jitter=0.5,mode=observe");
    }

    private static String runtime(String value) {
        return "{\"value\":" + value + ",\"from\":\"runtime\"}";
    }

    static List<Arguments> badChanges() {
        String it = "failure-threshold, failure-rate-threshold, slow-call-duration, slow-call-rate-threshold, window,"
                + " minimum-calls, recovery-timeout, recovery-backoff-multiplier, max-recovery-timeout, recovery-jitter,"
                + " ramp-up, probes, successes-to-close, probe-timeout, mode";
        return List.of(
                bad("failure-threshold=0", "failure-threshold must be at least 1, but was 0"),
                bad("failure-threshold=2,probes=many", "probes must be a whole number, but was 'many'"),
                bad("probes=", "probes must be a whole number, but was ''"),
                bad("probes=1.5", "probes must be a whole number, but was '1.5'"),
                bad(
                        "window=60 s",
                        "window must be a number of calls such as 100, or a duration such as 60s, but was '60 s'"),
                bad("recovery-timeout=soon", "recovery-timeout must be a duration such as 30s or 5m, but was 'soon'"),
                bad(
                        "recovery-timeout=${user.name}",
                        "recovery-timeout must be a duration such as 30s or 5m, but was '${user.name}'"),
                bad("failure-rate-threshold=half", "failure-rate-threshold must be a number, but was 'half'"),
                bad("mode=off", "mode must be one of enforce, observe, disabled, but was 'off'"),
                bad(
                        "failure-threshold=2,minimum-calls=30,window=10",
                        "minimum-calls must be at most window, but minimum-calls was 30 and window was 10"),
                bad(
                        "slow-call-duration=2s",
                        "slow-call-duration needs slow-call-rate-threshold, but slow-call-duration was PT2S and"
                                + " slow-call-rate-threshold was not set"),
                bad("failure-treshold=2", "failure-treshold is not a setting; did you mean failure-threshold?"),
                bad("colour=red", "'colour' is not a setting that a live circuit breaker can change; it has " + it),
                bad("extends=slow", "'extends' is not a setting that a live circuit breaker can change; it has " + it),
                bad(
                        "ignore-exceptions=java.io.IOException",
                        "'ignore-exceptions' is not a setting that a live circuit breaker can change; it has " + it),
                bad("probes=2,PROBES=3", "probes must be given once, but was given twice"),
                bad("probes=2,", "settings must be pairs such as failure-threshold=5,window=100, but was 'probes=2,'"),
                bad("", "settings must be pairs such as failure-threshold=5,window=100, but was ''"));
    }

    private static Arguments bad(String settings, String error) {
        return Arguments.of(settings, error);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badChanges")
    void badChange_is400_namesWhatIsWrong_andChangesNothing(String settings, String error) throws Exception {
        CircuitBreaker breaker = breaker("untouched");
        Map<String, Object> before = breaker.settings();

        Response response =
                post("/guardedby/untouched", "{\"action\":\"reconfigure\",\"settings\":\"" + settings + "\"}");

        assertThat(response).isEqualTo(new Response(400, "{\"error\":\"" + error + "\"}"));
        assertThat(breaker.settings()).isEqualTo(before);
    }

    @Test
    void settings_goWithReconfigure_andReconfigureWithSettings() throws Exception {
        CircuitBreaker breaker = breaker("alone");

        assertThat(post("/guardedby/alone", "{\"action\":\"reset\",\"settings\":\"probes=2\"}"))
                .isEqualTo(new Response(
                        400,
                        "{\"error\":\"settings goes with the action reconfigure alone, but the action was 'reset'\"}"));
        assertThat(post("/guardedby/alone", "{\"action\":\"reconfigure\"}"))
                .isEqualTo(
                        new Response(
                                400,
                                "{\"error\":\"settings must be pairs such as failure-threshold=5,window=100, but was missing\"}"));
        assertThat(post("/guardedby/alone", "{\"action\":\"reconfigure\",\"mode\":\"observe\"}").status)
                .isEqualTo(400);
        assertThat(post("/guardedby/nobody", "{\"action\":\"reconfigure\",\"settings\":\"probes=2\"}").status)
                .isEqualTo(404);
        assertThat(breaker.settings()).isEqualTo(CircuitBreaker.of("alone").settings());
    }

    @Test
    void readOnly_isTheDefault() throws Exception {
        try (ConfigurableApplicationContext readOnly = application()) {
            readOnly.getBean(CircuitBreakerRegistry.class).get("llm");

            assertThat(send(readOnly, HttpRequest.newBuilder(), "/guardedby/llm").status)
                    .isEqualTo(200);
            assertThat(send(readOnly, posting("{\"action\":\"force-open\"}"), "/guardedby/llm").status)
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

        Map<String, Object> stats = JsonPath.read(get("/guardedby/agree").body, "$.stats");
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
                .body
                .lines()
                .filter(line -> line.startsWith(prefix) && line.contains("{name=\"" + breaker + "\"}"))
                .collect(Collectors.toMap(
                        line -> line.substring(prefix.length(), line.indexOf('{')),
                        line -> line.substring(line.lastIndexOf(' ') + 1)));
    }

    @Test
    void scrape_hasEveryOutcomeAndReason_withOneSetOfTagKeysAMeter() throws Exception {
        CircuitBreaker breaker = breaker("scraped");
        breaker.run(() -> advance(Duration.ofMillis(250)));
        breaker.acquire().ignore();
        for (int i = 0; i < 5; i++) {
            breaker.acquire().failure(new IOException());
        }
        assertThat(breaker.tryAcquire()).isEmpty();

        String scrape = get("/prometheus").body;

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
                        "guardedby_rejections_total{name=\"scraped\",reason=\"ramp_up\"} 0.0");
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

    private static String tagKeys(String line) {
        return Stream.of(
                        line.substring(line.indexOf('{') + 1, line.indexOf('}')).split(","))
                .map(tag -> tag.substring(0, tag.indexOf('=')))
                .collect(Collectors.joining(","));
    }

    @Test
    void resilience4j_worksBesideIt() throws Exception {
        breaker("llm");
        context.getBean(io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry.class)
                .circuitBreaker("llm")
                .transitionToOpenState();

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

    record Response(int status, String body) {}

    private static CircuitBreakerRegistry registry() {
        return context.getBean(CircuitBreakerRegistry.class);
    }

    private static CircuitBreaker breaker(String name) {
        return registry().get(name);
    }

    private static void advance(Duration time) {
        context.getBean(AtomicLong.class).addAndGet(time.toNanos());
    }

    private static Response get(String path) throws Exception {
        return send(context, HttpRequest.newBuilder(), path);
    }

    private static Response post(String path, String json) throws Exception {
        return send(context, posting(json), path);
    }

    private static HttpRequest.Builder posting(String json) {
        return HttpRequest.newBuilder()
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json));
    }

    private static Response send(ConfigurableApplicationContext to, HttpRequest.Builder request, String path)
            throws Exception {
        String port = to.getEnvironment().getProperty("local.server.port");
        URI address = URI.create("http://localhost:" + port + "/actuator" + path);
        HttpResponse<String> response = CLIENT.send(request.uri(address).build(), HttpResponse.BodyHandlers.ofString());
        return new Response(response.statusCode(), response.body());
    }

    private static String snake(String camel) {
        return camel.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static String field(String json, String path) {
        Object value = JsonPath.read(json, "$." + path);
        return value instanceof String text ? text : JsonPath.parse(value).jsonString();
    }
}
