package dev.guardedby.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetWindow;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.StoreThatGoesAway;
import dev.guardedby.spring.web.WebApplication.Answer;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import reactor.core.publisher.Mono;

/** What a client is answered when a breaker refused: a real server, a real client, Spring MVC and WebFlux. */
@ParameterizedClass
@EnumSource(names = {"SERVLET", "REACTIVE"})
record RefusalOverHttpTest(WebApplicationType kind) {
    private static WebApplication application;

    @BeforeParameterizedClassInvocation
    static void start(WebApplicationType kind) {
        application = WebApplication.start(
                kind,
                Routes.class,
                "guardedby.web.problem-details=true",
                "guardedby.breakers.llm.budgets.hourly.calls=1000000",
                "guardedby.breakers.llm.budgets.hourly.window=hour",
                "guardedby.breakers.llm.budgets.ever.calls=1000000",
                "guardedby.breakers.llm.budgets.ever.window=lifetime");
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        application.close();
    }

    @AfterEach
    void close() {
        application.llm().reset();
    }

    @Test
    void refusal_isAProblemDetail_whereverItCameOut() throws Exception {
        List<String> paths = List.of(
                "/plain", "/text", "/future", "/stage", "/mono", "/flux", "/joined", "/own-exception", "/functional");
        Map<String, Integer> before = new TreeMap<>();
        for (String path : paths) {
            before.put(path, application.get(path).status());
        }
        application.llm().forceOpen();
        application.advance(Duration.ofSeconds(17));
        Map<String, Answer> refused = new TreeMap<>();
        Map<String, Answer> expected = new TreeMap<>();
        for (String path : paths) {
            refused.put(path, application.get(path));
            expected.put(path, problem(path, "13"));
        }

        assertThat(before)
                .hasSameSizeAs(paths)
                .allSatisfy((path, status) -> assertThat(status).isEqualTo(200));
        assertThat(refused).isEqualTo(expected);
    }

    @Test
    void callWithoutAKey_isNoRefusal_andAnsweredAsAnyOtherException() throws Exception {
        Answer without = application.get("/tenant");

        assertThat(application.get("/tenant?tenant=acme").body()).isEqualTo("Because, acme.");
        assertThat(without.status()).isEqualTo(500);
        assertThat(without.contentType()).isEqualTo("application/json");
        assertThat(without.retryAfter()).isEqualTo("-");
        assertThat(without.body()).doesNotContain("tenants", "expression");
    }

    @Test
    void problemDetail_isWhatEveryClientGets_whateverItAccepts() throws Exception {
        application.llm().forceOpen();

        for (String accepted : List.of("application/json", "text/html", "text/plain", "application/xml")) {
            assertThat(application.get("/plain", accepted)).as(accepted).isEqualTo(problem("/plain", "30"));
        }
    }

    private static Answer problem(String path, String retryAfter) {
        return new Answer(
                503,
                "application/problem+json",
                retryAfter,
                "{\"detail\":\"A service that this request needs is unavailable; try again later.\",\"instance\":\""
                        + path + "\",\"status\":503,\"title\":\"Service Unavailable\"}");
    }

    @Test
    void refusalByABudget_is429_withRetryAfterWhereItResets() throws Exception {
        List<String> reset = new ArrayList<>();
        for (String budget : List.of("hourly", "ever")) {
            application.get("/plain");
            application.llm().limit(budget, BigDecimal.ONE);
            Answer answer = application.get("/plain");
            application.llm().limit(budget, BigDecimal.valueOf(1_000_000));
            reset.add(budget + " " + answer.status() + " " + answer.contentType() + " " + answer.body());
            assertThat(answer.retryAfter()).matches(budget.equals("hourly") ? "[1-9][0-9]{0,3}" : "-");
        }

        String problem = " 429 application/problem+json {\"detail\":\"What may be spent on such requests is spent%s.\","
                + "\"instance\":\"/plain\",\"status\":429,\"title\":\"Too Many Requests\"}";
        assertThat(reset)
                .containsExactly("hourly" + problem.formatted("; try again later"), "ever" + problem.formatted(""));
        assertThat(application.get("/plain").status()).isEqualTo(200);
    }

    @Test
    void refusalOfWhatHasNoPrice_is503() throws Exception {
        requireEstimate(true);
        Answer unpriced = application.get("/plain");
        requireEstimate(false);

        assertThat(unpriced).isEqualTo(problem("/plain", "-"));
        assertThat(application.get("/plain").status()).isEqualTo(200);
    }

    private static void requireEstimate(boolean required) {
        Budget budget = Budget.usd("strict", BigDecimal.ONE)
                .per(BudgetWindow.lifetime())
                .requireEstimate(required)
                .build();
        application.llm().reconfigure(builder -> builder.budget(budget));
    }

    @Test
    void refusalBecauseTheStoreOfABudgetIsAway_is503() throws Exception {
        StoreThatGoesAway store = application.context().getBean(StoreThatGoesAway.class);
        store.away(true);
        Answer away = application.get("/plain");
        store.away(false);

        assertThat(away).isEqualTo(problem("/plain", "-"));
        assertThat(application.get("/plain").status()).isEqualTo(200);
    }

    @Test
    void retryAfter_isInWholeSeconds_roundedUp_andNever0() throws Exception {
        application.llm().forceOpen();
        StringBuilder history = new StringBuilder();
        for (long milliseconds : new long[] {0, 1, 16_998, 2, 11_999, 999}) {
            application.advance(Duration.ofMillis(milliseconds));
            history.append(' ').append(application.get("/plain").retryAfter());
        }
        application.advance(Duration.ofNanos(999_999));
        history.append(" 1 ns before the probe ")
                .append(application.get("/plain").retryAfter());

        assertThat(history).hasToString(" 30 30 14 13 1 1 1 ns before the probe 1");
    }

    @Test
    void retryAfter_isLeftOut_whereNobodyCanTell() throws Exception {
        application.llm().holdOpen();
        assertThat(application.get("/plain")).as("held open").isEqualTo(problem("/plain", "-"));

        application.llm().reset();
        application.llm().forceOpen();
        application.advance(Duration.ofSeconds(30));
        try (Permit probe = application.llm().acquire()) {
            assertThat(application.get("/plain")).as("probing").isEqualTo(problem("/plain", "-"));
            probe.success();
        }
        assertThat(application.get("/plain").body()).as("closed").isEqualTo("Because.");
    }

    @Test
    void statusThatTheApplicationChose_stays() throws Exception {
        application.llm().forceOpen();
        List<String> answers = new ArrayList<>();
        for (String path : List.of("/own-status", "/annotated-status", "/other-exception", "/number?value=many")) {
            Answer answer = application.get(path, "application/json");
            answers.add(path + " " + answer.status() + " " + answer.contentType() + " " + answer.retryAfter());
        }

        assertThat(answers)
                .containsExactly(
                        "/own-status 502 application/json -",
                        "/annotated-status 410 application/json -",
                        "/other-exception 500 application/json -",
                        "/number?value=many 400 application/json -");
    }

    /** One endpoint without a controller, for whichever of the two runs, and where budgets are kept. */
    @Configuration(proxyBeanMethods = false)
    static class Routes {
        @Bean
        StoreThatGoesAway store() {
            return new StoreThatGoesAway();
        }

        @Bean
        org.springframework.web.servlet.function.RouterFunction<?> mvc(WebApplication.Assistant assistant) {
            return org.springframework.web.servlet.function.RouterFunctions.route()
                    .GET(
                            "/functional",
                            request -> org.springframework.web.servlet.function.ServerResponse.ok()
                                    .body(assistant.ask()))
                    .build();
        }

        @Bean
        org.springframework.web.reactive.function.server.RouterFunction<?> webFlux(WebApplication.Assistant assistant) {
            return org.springframework.web.reactive.function.server.RouterFunctions.route()
                    .GET(
                            "/functional",
                            request -> Mono.fromCallable(assistant::ask)
                                    .flatMap(
                                            org.springframework.web.reactive.function.server.ServerResponse.ok()
                                                    ::bodyValue))
                    .build();
        }
    }
}
