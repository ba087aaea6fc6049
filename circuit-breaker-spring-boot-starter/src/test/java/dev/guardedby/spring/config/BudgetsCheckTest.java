package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** What the log says of budgets when an application starts. */
@ExtendWith(OutputCaptureExtension.class)
final class BudgetsCheckTest {
    private ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByPricesAutoConfiguration.class));

    private List<String> warnings(CapturedOutput output, String... properties) {
        application
                .withPropertyValues(properties)
                .run(context -> assertThat(context).hasNotFailed());
        return output.getOut()
                .lines()
                .filter(line -> line.contains("WARN"))
                .map(line -> line.replaceFirst(".* dev\\.guardedby +\\S+ ", ""))
                .toList();
    }

    @Test
    void budgetsThatCallsUnderWayCanPass_areNamedTogether(CapturedOutput output) {
        assertThat(warnings(
                        output,
                        "guardedby.budgets.team.tokens=100000",
                        "guardedby.budgets.team.window=month",
                        "guardedby.breakers.llm.budgets.daily.usd=5",
                        "guardedby.breakers.llm.budgets.daily.window=day",
                        "guardedby.breakers.llm.budgets.count.calls=5",
                        "guardedby.breakers.llm.budgets.count.window=day",
                        "guardedby.breakers.llm.charge-to=team",
                        "guardedby.breakers.other.charge-to=team",
                        "guardedby.breakers.other.estimate-per-call.tokens=100"))
                .containsExactly(
                        "Calls under way can pass these budgets, where nothing limits what one may cost: 'daily' of 'llm', 'team' of"
                                + " 'llm'. Write estimate-per-call, limit the answers of models by max-tokens, or refuse such calls"
                                + " by require-estimate.");
    }

    @Test
    void budgetsThatHold_areNotNamed(CapturedOutput output) {
        assertThat(warnings(
                        output,
                        "guardedby.breakers.held.budgets.daily.usd=5",
                        "guardedby.breakers.held.budgets.daily.window=day",
                        "guardedby.breakers.held.estimate-per-call.usd=0.1",
                        "guardedby.breakers.strict.budgets.daily.tokens=5",
                        "guardedby.breakers.strict.budgets.daily.window=day",
                        "guardedby.breakers.strict.budgets.daily.require-estimate=true",
                        "guardedby.breakers.shut.budgets.none.usd=0",
                        "guardedby.breakers.shut.budgets.none.window=day"))
                .isEmpty();
    }

    @Test
    void cheaperModelWithoutAPrice_isNamed_withTheOneThatMayBeMeant(CapturedOutput output) {
        assertThat(warnings(output, degrading("gpt-4.1-nanno")))
                .containsExactly(
                        "There is no price for 'gpt-4.1-nanno', the degrade-to of the budget 'daily' of 'llm', so calls"
                                + " will keep their own models; did you mean 'gpt-4.1-nano'?");
    }

    @Test
    void cheaperModelThatIsNearNone_isNamed_withWhereToWriteIt(CapturedOutput output) {
        assertThat(warnings(output, degrading("haiku")))
                .containsExactly(
                        "There is no price for 'haiku', the degrade-to of the budget 'daily' of 'llm', so calls will keep"
                                + " their own models. Write it in guardedby.prices.models.");
    }

    @Test
    void cheaperModelWithAPrice_orWhereUnknownModelsAreNotRefused_isFine(CapturedOutput output) {
        assertThat(warnings(output, degrading("gpt-4.1-nano"))).isEmpty();
        application = application.withPropertyValues("guardedby.prices.unknown=estimate");
        assertThat(warnings(output, degrading("haiku"))).isEmpty();
    }

    @Test
    void cheaperModelWhosePriceSaysWhoServesIt_isFine_howeverItIsWritten(CapturedOutput output) {
        String[] properties = degrading("GPT-4.1-Nano");
        properties[0] = "guardedby.prices.models[0].model=OpenAI/gpt-4.1-nano";
        assertThat(warnings(output, properties)).isEmpty();
    }

    @Test
    void cheaperModelWithoutAPrice_isFine_whereNoBudgetCountsDollars(CapturedOutput output) {
        assertThat(warnings(
                        output,
                        "guardedby.breakers.llm.estimate-per-call.tokens=100",
                        "guardedby.breakers.llm.budgets.daily.tokens=5000",
                        "guardedby.breakers.llm.budgets.daily.window=day",
                        "guardedby.breakers.llm.budgets.daily.degrade-at=80",
                        "guardedby.breakers.llm.budgets.daily.degrade-to=haiku"))
                .isEmpty();
    }

    private static String[] degrading(String model) {
        return new String[] {
            "guardedby.prices.models[0].model=gpt-4.1-nano",
            "guardedby.prices.models[0].input=0.1",
            "guardedby.prices.models[0].output=0.4",
            "guardedby.breakers.llm.estimate-per-call.usd=0.1",
            "guardedby.breakers.llm.budgets.daily.usd=5",
            "guardedby.breakers.llm.budgets.daily.window=day",
            "guardedby.breakers.llm.budgets.daily.degrade-at=80",
            "guardedby.breakers.llm.budgets.daily.degrade-to=" + model
        };
    }
}
