package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.BudgetWindow;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.actuate.HttpApplication.Response;
import dev.guardedby.spring.keys.Keys;
import java.math.BigDecimal;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** An operator looks at budgets, sets limits and corrects what was charged. */
@ExtendWith(OutputCaptureExtension.class)
class BudgetsOverHttpTest {
    private static HttpApplication application;

    @BeforeAll
    static void start() {
        application = HttpApplication.start(
                "management.endpoint.guardedby.access=unrestricted",
                "guardedby.breakers.llm.budgets.daily.usd=25.00",
                "guardedby.breakers.llm.budgets.daily.window=day",
                "guardedby.breakers.llm.budgets.daily.zone=Pacific/Auckland",
                "guardedby.breakers.llm.budgets.daily.warn-at=50,80",
                "guardedby.breakers.llm.budgets.daily.degrade-at=90",
                "guardedby.breakers.llm.budgets.run.usd=0.50",
                "guardedby.breakers.llm.budgets.run.window=call",
                "guardedby.breakers.llm.charge-to=team",
                "guardedby.breakers.other.budgets.all.tokens=1000",
                "guardedby.breakers.other.budgets.all.window=lifetime",
                "guardedby.breakers.tenants.budgets.all.calls=3",
                "guardedby.breakers.tenants.budgets.all.window=lifetime",
                "guardedby.budgets.team.usd=500",
                "guardedby.budgets.team.window=1h");
        application.bean(Keys.class).of(breaker("tenants"));
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    private static CircuitBreaker breaker(String name) {
        return application.bean(CircuitBreakerRegistry.class).get(name);
    }

    private static Response post(String name, String json) throws Exception {
        return application.post("/guardedby/" + name, json.replace('\'', '"'));
    }

    private static BudgetStatus budget(CircuitBreaker breaker) {
        return breaker.budgets().get(0);
    }

    @Test
    void document_hasTheBudgets_inNumbers() throws Exception {
        CircuitBreaker llm = breaker("llm");
        llm.recordCost(Cost.usd("0.375"));
        llm.acquire(Cost.usd("0.25"));

        String json = application.get("/guardedby/llm").body();
        String resetsAt = field(json, "budgets[0].resetsAt");

        assertThat(field(json, "budgets[0]"))
                .isEqualTo(
                        "{\"name\":\"daily\",\"unit\":\"USD\",\"window\":\"day\",\"scope\":\"breaker\",\"shared\":false,\"limit\":25,"
                                + "\"spent\":0.375,\"held\":0.25,\"resetsAt\":\"" + resetsAt + "\",\"kind\":\"EXACT\","
                                + "\"warnAt\":[50,80],\"degradeAt\":90}");
        assertThat(field(json, "budgets[1]"))
                .isEqualTo(
                        "{\"name\":\"team\",\"unit\":\"USD\",\"window\":\"1h\",\"scope\":\"breaker\",\"shared\":true,\"limit\":500,"
                                + "\"spent\":0.375,\"held\":0.25,\"kind\":\"EXACT\",\"warnAt\":[]}");
        assertThat(field(json, "budgets[2]"))
                .isEqualTo(
                        "{\"name\":\"run\",\"unit\":\"USD\",\"window\":\"call\",\"scope\":\"breaker\",\"shared\":false,\"limit\":0.5,"
                                + "\"spent\":0,\"held\":0,\"kind\":\"EXACT\",\"warnAt\":[]}");
        assertThat(OffsetDateTime.parse(resetsAt).atZoneSameInstant(ZoneId.of("Pacific/Auckland")))
                .hasToString(resetsAt.replaceFirst(":00(?=[+])", "") + "[Pacific/Auckland]");
        assertThat(OffsetDateTime.parse(resetsAt).toInstant())
                .isEqualTo(budget(llm).resetsAt());
        assertThat(field(json, "settings.budgets.value.daily"))
                .isEqualTo(
                        "{\"usd\":25,\"window\":\"day\",\"zone\":\"Pacific/Auckland\",\"warn-at\":[50,80],\"degrade-at\":90}");
    }

    @Test
    void budgetThatCodeHasReplaced_isShownAsItIs() throws Exception {
        breaker("other")
                .reconfigure(change -> change.budget(Budget.calls("all", 7)
                        .per(BudgetWindow.hour(ZoneId.of("Asia/Tokyo")))
                        .build()));
        String json = application.get("/guardedby/other").body();
        breaker("other")
                .reconfigure(change -> change.budget(
                        Budget.tokens("all", 1_000).per(BudgetWindow.lifetime()).build()));

        assertThat(field(json, "budgets[0]"))
                .isEqualTo("{\"name\":\"all\",\"unit\":\"CALLS\",\"scope\":\"breaker\",\"shared\":false,\"limit\":7,"
                        + "\"spent\":0,\"held\":0,\"resetsAt\":\"" + field(json, "budgets[0].resetsAt")
                        + "\",\"kind\":\"EXACT\"}");
    }

    @Test
    void budgetOfAKey_saysSo() throws Exception {
        breaker("tenants").forKey("acme").acquire().success();

        assertThat(field(application.get("/guardedby/tenants?key=acme").body(), "budgets[0]"))
                .isEqualTo(
                        "{\"name\":\"all\",\"unit\":\"CALLS\",\"window\":\"lifetime\",\"scope\":\"key\",\"shared\":false,\"limit\":3,\"spent\":1,"
                                + "\"held\":0,\"kind\":\"EXACT\",\"warnAt\":[]}");
        assertThat(field(application.get("/guardedby/tenants").body(), "budgets[0].scope"))
                .isEqualTo("breaker");
        assertThat(field(
                        post("tenants", "{'action':'set-limit','budget':'all','limit':'1','key':'acme'}")
                                .body(),
                        "reason"))
                .isEqualTo("BUDGET");
        assertThat(breaker("tenants").forKey("bros").refusal()).isEmpty();
    }

    @Test
    void operator_setsALimit_andCorrectsWhatWasCharged_andTheLogHasBoth(CapturedOutput output) throws Exception {
        CircuitBreaker other = breaker("other");
        other.recordCost(600, 500, BigDecimal.ZERO);
        assertThat(other.tryAcquire()).isEmpty();

        Response raised = post("other", "{'action':'set-limit','budget':'all','limit':'2000'}");
        Response corrected =
                post("other", "{'action':'adjust','budget':'all','amount':'-100','reason':'refund of Monday'}");

        assertThat(raised.status()).isEqualTo(200);
        assertThat(field(raised.body(), "budgets[0].limit")).isEqualTo("2000");
        assertThat(field(raised.body(), "admitting")).isEqualTo("true");
        assertThat(corrected.status()).isEqualTo(200);
        assertThat(field(corrected.body(), "budgets[0].spent")).isEqualTo("1000");
        assertThat(budget(other).limit()).isEqualByComparingTo("2000");
        assertThat(output)
                .contains(
                        "Operator's action on circuit breaker 'other': set-limit of budget all to 2000 TOKENS",
                        "Operator's action on circuit breaker 'other': adjust budget all by -100 TOKENS"
                                + " (refund of Monday)");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    'action':'set-limit','limit':'1' | budget must be one of daily, team, run, but was missing
                    'action':'set-limit','budget':'dayly','limit':'1' | budget must be one of [run, daily, team] of circuit breaker 'llm', but was 'dayly'
                    'action':'set-limit','budget':'daily' | limit must be a number, but was missing
                    'action':'set-limit','budget':'daily','limit':'a lot' | limit must be a number, but was 'a lot'
                    'action':'set-limit','budget':'daily','limit':'NaN' | limit must be a number, but was 'NaN'
                    'action':'set-limit','budget':'daily','limit':'-1' | limit must not be negative, but was -1
                    'action':'set-limit','budget':'daily','limit':'1e300' | limit must be at most 9223372036.854775807, but was 1E+300
                    'action':'set-limit','budget':'daily','limit':'1','amount':'1' | amount goes with the action adjust alone, but the action was 'set-limit'
                    'action':'reset','budget':'daily' | budget goes with the actions set-limit and adjust alone, but the action was 'reset'
                    'action':'adjust','budget':'daily','amount':'1' | reason must be 1 to 200 characters, not blank and without control characters, but was missing
                    'action':'adjust','budget':'daily','amount':'1','reason':'a\\nb' | reason must be 1 to 200 characters, not blank and without control characters, but was of 3
                    'action':'adjust','budget':'daily','amount':'1','reason':' ' | reason must be 1 to 200 characters, not blank and without control characters, but was of 1
                    'action':'adjust','budget':'daily','amount':'0.0000000001','reason':'x' | amount must have at most 9 decimals, but was 1E-10
                    'action':'adjust','budget':'run','amount':'1','reason':'x' | budget 'run' is for one call each, and keeps nothing that could be adjusted
                    """, quoteCharacter = '`')
    void badValue_is400_namesWhatThereIs_andChangesNothing(String asked, String why) throws Exception {
        List<BigDecimal> before = breaker("llm").budgets().stream()
                .flatMap(budget -> List.of(budget.limit(), budget.spent()).stream())
                .toList();

        Response refused = post("llm", "{" + asked + "}");

        assertThat(refused).isEqualTo(new Response(400, "{\"error\":\"" + why + "\"}"));
        assertThat(breaker("llm").budgets().stream()
                        .flatMap(budget -> List.of(budget.limit(), budget.spent()).stream()))
                .containsExactlyElementsOf(before);
    }

    @Test
    void breakerWithoutBudgets_saysSo() throws Exception {
        breaker("plain").acquire().success();

        assertThat(field(application.get("/guardedby/plain").body(), "budgets")).isEqualTo("[]");
        assertThat(post("plain", "{'action':'set-limit','budget':'daily','limit':'1'}"))
                .isEqualTo(new Response(
                        400, "{\"error\":\"budget must be one of [] of circuit breaker 'plain', but was 'daily'\"}"));
    }
}
