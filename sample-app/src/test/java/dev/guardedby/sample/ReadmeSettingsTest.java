package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** The settings that README.md names are the settings there are. */
class ReadmeSettingsTest {
    private static final Readme README = new Readme();

    @Test
    void settingsTable_namesEverySettingAndItsDefault() {
        configured().run(context -> {
            Map<String, String> live = new TreeMap<>();
            context.getBean(ConfiguredBreakers.class)
                    .settings("unconfigured")
                    .forEach((key, setting) -> live.put(key, plain(setting.value())));
            Map<String, String> written = README.table("key", "default", "values").stream()
                    .collect(
                            Collectors.toMap(row -> row.get(0), row -> inForce(row.get(1)), (a, b) -> a, TreeMap::new));

            assertThat(written).isEqualTo(live);
        });
    }

    @Test
    void otherSettings_existWithTheirDefaults() {
        for (List<String> row : README.table("key", "default", "meaning")) {
            String[] written = row.get(1).equals("none") ? new String[0] : new String[] {row.get(0) + "=" + row.get(1)};
            configured()
                    .withPropertyValues(written)
                    .run(context -> assertThat(context).as(row.get(0)).hasNotFailed());
            configured()
                    .withPropertyValues(row.get(0) + "=neither-this-nor-that")
                    .run(context -> assertThat(context).as(row.get(0)).hasFailed());
        }
    }

    /** How the endpoint writes what the table writes in words. */
    private static String inForce(String written) {
        return switch (written) {
            case "every exception" -> "none";
            case "all probes" -> "1"; // of one
            case "10 × recovery-timeout" -> "PT50M"; // of 5m
            case "0, or 0.2 if the wait grows" -> "0"; // it does not
            default ->
                written.matches("\\d+[smh]")
                        ? DurationStyle.SIMPLE.parse(written).toString()
                        : written;
        };
    }

    private static String plain(Object value) {
        if (value instanceof Double number) {
            return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
        }
        return value.equals(List.of()) ? "none" : value.toString();
    }

    private static ApplicationContextRunner configured() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        GuardedByAutoConfiguration.class, GuardedByPricesAutoConfiguration.class));
    }
}
