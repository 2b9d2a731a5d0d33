// SPDX-License-Identifier: GPL-3.0-or-later
// Webhooks over days, in virtual time: a receiver that is not there.
#include "admin/webhooks/deliveries.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "net/testing/virtual_world.hpp"
#include "service/organisation/webhooks.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace syncline::admin {
namespace {

namespace fs = std::filesystem;

class DeliveriesTest : public testing::Test {
 protected:
  void SetUp() override {
    service::OrganisationOptions options;
    options.folder = (folder / "contoso").string();
    options.key = (folder / "key").string();
    fs::create_directories(folder);
    auto created =
        service::Organisation::create(options, "Contoso", world.environment().clock, system_random());
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
    auto made = Poster::make(world.environment(), {});
    ASSERT_TRUE(made);
    poster = std::move(*made);
    auto vault = organisation->vault();
    ASSERT_TRUE(vault);
    auto webhook = organisation->store().write<service::MadeWebhook>([&](store::Transaction& transaction) {
      return service::create_webhook(transaction, **vault, system_random(),
                                     {.url = "https://nobody.example/"}, {"test"});
    });
    ASSERT_TRUE(webhook) << webhook.error().describe();
    id = webhook->webhook.id;
    auto added = organisation->store().write<model::Record>([](store::Transaction& transaction) {
      model::Record record;
      record.kind = model::RecordKind::task;
      record.owner = "a@x";
      return store::insert_record(transaction, std::move(record));
    });
    ASSERT_TRUE(added);
  }
  void TearDown() override {
    poster.reset();
    organisation.reset();
    fs::remove_all(folder);
  }

  store::Webhook webhook() {
    auto found = organisation->store().read<std::optional<store::Webhook>>(
        [&](store::Transaction& transaction) { return store::find_webhook(transaction, id); });
    return found && *found ? **found : store::Webhook{};
  }

  net::testing::VirtualWorld world;
  fs::path folder = fs::temp_directory_path() / ("syncline-deliveries-" + system_random().uuid());
  std::unique_ptr<service::Organisation> organisation;
  std::unique_ptr<Poster> poster;
  store::WebhookId id = 0;
};

TEST_F(DeliveriesTest, AReceiverThatIsNotThereIsTriedEverSeldomerAndSwitchedOffAfterFiveDaysWithAnAlert) {
  Deliveries deliveries(world.environment(), *organisation, *poster, {.look_pause = std::chrono::minutes(1)});
  int attempts_of_first_hour = 0, attempts_of_first_day = 0;
  auto days = [&]() -> net::Async<void> {
    auto hour = co_await world.sleep(std::chrono::hours(1));
    attempts_of_first_hour = webhook().attempts;
    auto day = co_await world.sleep(std::chrono::hours(23));
    attempts_of_first_day = webhook().attempts;
    EXPECT_TRUE(webhook().enabled);
    EXPECT_TRUE(webhook().next_try_at);
    EXPECT_NE(webhook().last_error, "");
    auto rest = co_await world.sleep(std::chrono::hours(24 * 4 + 3));
    deliveries.stop();
    co_return Result<void>{};
  };
  auto stopped = [&]() -> net::asio::awaitable<void> { static_cast<void>(co_await days()); };
  world.spawn(stopped());
  ASSERT_TRUE(world.run(deliveries.run()));
  EXPECT_GE(attempts_of_first_hour, 8);
  EXPECT_LE(attempts_of_first_hour, 14);
  EXPECT_GE(attempts_of_first_day, 25);
  EXPECT_LE(attempts_of_first_day, 45);
  const store::Webhook last = webhook();
  EXPECT_FALSE(last.enabled);
  EXPECT_EQ(last.delivered, 0) << "it goes on where it was";
  auto alerts = organisation->store().read<std::vector<store::Alert>>(
      [](store::Transaction& transaction) { return store::list_alerts(transaction, true); });
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 1U);
  EXPECT_EQ(alerts->front().code, "webhook-disabled-" + std::to_string(id));
}

}  // namespace
}  // namespace syncline::admin
