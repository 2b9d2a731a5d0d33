// SPDX-License-Identifier: GPL-3.0-or-later
#include "service_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "net/http_client.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace syncline::service::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> addresses(char first, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i)
    all.push_back(first + std::to_string(i) + "@" + (first == 'e' ? "east" : "west") + ".example.com");
  return all;
}

/// The virtual world in the place of the machine.
class VirtualSystem final : public net::SystemEnvironment {
 public:
  explicit VirtualSystem(net::Environment& environment) : environment_(environment) {}
  net::Environment& get() noexcept override { return environment_; }

 private:
  net::Environment& environment_;
};

std::string profile(const std::string& name, const std::string& url, const std::string& more) {
  return "[[profile]]\nname = \"" + name +
         "\"\ntype = \"exchange_hybrid\"\nautodiscover = false\niis_auth = \"basic\"\nin_auth_protocol = "
         "\"basic\"\n"
         "in_host = \"" +
         url + "\"\nout_host = \"" + url + "\"\n" + more;
}

}  // namespace

ServiceWorld::ServiceWorld(int mailboxes_each, std::uint64_t seed)
    : world(seed),
      east(world, {.host = "mail.east.example.com", .addresses = addresses('e', mailboxes_each)}),
      west(world, {.host = "mail.west.example.com", .addresses = addresses('w', mailboxes_each)}),
      eastern(addresses('e', mailboxes_each)),
      western(addresses('w', mailboxes_each)),
      folder_(fs::path(::testing::TempDir()) / ("service-" + system_random().uuid())) {
  fs::create_directories(folder_);
  OrganisationOptions options;
  options.folder = (folder_ / "contoso").string();
  options.key = (folder_ / "key").string();
  auto created =
      Organisation::create(options, "Contoso", world.environment().clock, world.environment().random);
  if (!created) {
    ADD_FAILURE() << created.error().describe();
    return;
  }
  organisation_ = std::move(created->organisation);
  std::string text =
      "[policy.mail]\ntrack = \"all\"\n" +
      profile("East", east.url(),
              "auth_in = \"profile_credentials\"\nimpersonation = true\nuser_name = \"" +
                  std::string(exchange_sim::testing::SimulatedExchange::service_account) + "\"\n") +
      profile("West", west.url(), "auth_in = \"mailbox_credentials\"\n");
  std::vector<std::string> all = eastern;
  all.insert(all.end(), western.begin(), western.end());
  for (const std::string& address : all)
    text += "[[mailbox]]\naddress = \"" + address + "\"\nprofile = \"" +
            (address.starts_with("e") ? "East" : "West") + "\"\nexchange_version = \"2019\"\n";
  std::istringstream input(text);
  auto wanted = read_apply_file(input);
  if (!wanted) {
    ADD_FAILURE() << "the configuration cannot be read";
    return;
  }
  auto outcome = apply(*organisation_, *wanted, false, {"test"});
  if (!outcome || !outcome->applied) {
    ADD_FAILURE() << (outcome ? "not applied" : outcome.error().describe());
    return;
  }
  const std::string password(exchange_sim::testing::SimulatedExchange::password);
  EXPECT_TRUE(organisation_->secrets().put("profile/East/password", Secret(password)));
  for (const std::string& address : western)
    EXPECT_TRUE(organisation_->secrets().put("mailbox/" + address + "/password", Secret(password)));
  for (const MailboxAct act : {MailboxAct::approve, MailboxAct::enable}) {
    auto done = administer(*organisation_, act, all, {"test"});
    if (!done) ADD_FAILURE() << done.error().describe();
    for (const auto& one : *done)
      if (one.obstacle) ADD_FAILURE() << one.obstacle->message;
  }
}

ServiceWorld::~ServiceWorld() {
  if (daemon_ && !ended_) static_cast<void>(stop());
  daemon_.reset();
  engine_.reset();
  organisation_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Result<std::unique_ptr<Connections::Network>> ServiceWorld::network() {
  auto made = std::make_unique<Connections::Network>();
  made->system = std::make_unique<VirtualSystem>(world.environment());
  net::HttpClientSettings settings;
  settings.connections_per_pool = 10;
  auto http = net::make_http_client(world.environment(), std::move(settings));
  if (!http) return fail(std::move(http.error()));
  made->http = std::move(*http);
  return made;
}

void ServiceWorld::start(DaemonSettings settings) {
  auto connections =
      std::make_shared<Connections>(world.executor(), [this](const model::Profile&) { return network(); });
  WatchEvents events{
      .changed = [this](const std::string& address) { daemon_->wake(address); },
      .watched =
          [this](const std::string& address, std::optional<std::chrono::milliseconds> look_anyway) {
            daemon_->watched(address, look_anyway);
          }};
  engine_ = std::make_unique<MailboxEngine>(world.environment(), *organisation_, std::move(connections),
                                            std::move(events));
  Daemon::Work work;
  work.run = [this](const EnabledMailbox& mailbox) -> net::Async<sync::MailboxSummary> {
    MailboxOutcome outcome{.address = mailbox.address(), .summary = sync::MailboxSummary{}};
    RunWishes wishes{.settle = false};
    auto ran = co_await engine_->run(mailbox, std::move(wishes), outcome);
    if (!ran) co_return fail(std::move(ran.error()));
    co_return std::move(outcome.summary);
  };
  work.renew = [this](const std::vector<store::AuditEntry>& acts) {
    if (auto renewed = engine_->renew(acts); !renewed) ADD_FAILURE() << renewed.error().describe();
  };
  work.configured = [this](const std::vector<std::shared_ptr<const EnabledMailbox>>& mailboxes) {
    engine_->configured(mailboxes);
  };
  daemon_ = std::make_unique<Daemon>(world.environment(), *organisation_, settings, std::move(work));
  if (auto begun = engine_->begin(); !begun) ADD_FAILURE() << begun.error().describe();
  ended_.reset();
  world.spawn([](ServiceWorld& self) -> net::asio::awaitable<void> {
    auto ended = co_await self.daemon_->run();
    static_cast<void>(co_await self.engine_->stop());
    self.ended_.emplace(std::move(ended));
  }(*this));
}

Result<void> ServiceWorld::stop() {
  daemon_->stop();
  for (int i = 0; i < 60 && !ended_; ++i) world.run_for(std::chrono::seconds(2));
  if (!ended_) return fail(ErrorDomain::local, "stuck", "the daemon has not ended in two minutes");
  return *ended_;
}

std::string ServiceWorld::deliver(const std::string& address) {
  const std::string number = std::to_string(++delivered_);
  const std::string id = "<d" + number + "@partner.example>";
  auto done = exchange_of(address).service().deliver(
      address, "From: bo@partner.example\r\nTo: " + address + "\r\nSubject: Number " + number +
                   "\r\nDate: Mon, 05 Jan 2026 07:30:00 +0000\r\nMessage-ID: " + id + "\r\n\r\nHello\r\n");
  if (!done) ADD_FAILURE() << done.error().describe();
  return id;
}

std::vector<std::string> ServiceWorld::arrived() {
  std::vector<std::string> ids;
  auto looked = organisation_->store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    for (bool more = true; more;) {
      auto changes = store::changes_since(transaction, seen_change_, 1000);
      if (!changes) return fail(std::move(changes.error()));
      more = changes->size() == 1000;
      for (const store::RecordChange& change : *changes) {
        seen_change_ = change.sequence;
        auto record = store::find_record(transaction, change.id, false);
        if (!record) return fail(std::move(record.error()));
        if (!*record || (*record)->kind != model::RecordKind::email) continue;
        if (const auto* id = (*record)->fields.if_contains("internetMessageId");
            id != nullptr && id->is_string())
          ids.emplace_back(id->get_string());
      }
    }
    return {};
  });
  if (!looked) ADD_FAILURE() << looked.error().describe();
  return ids;
}

MailboxTurn ServiceWorld::turn(const std::string& address) const {
  for (const MailboxTurn& one : daemon_->turns())
    if (one.address == address) return one;
  ADD_FAILURE() << address << " is not served";
  return {};
}

std::size_t ServiceWorld::pushed() const {
  const auto turns = daemon_->turns();
  return static_cast<std::size_t>(std::ranges::count_if(turns, &MailboxTurn::is_pushed));
}

void ServiceWorld::set_password(const std::string& address, const std::string& password) {
  EXPECT_TRUE(organisation_->secrets().put("mailbox/" + address + "/password", Secret(password)));
  auto noted = organisation_->store().write<void>([&](store::Transaction& transaction) {
    return store::append_audit(
        transaction, {.who = "test", .act = "secret.set", .object = "mailbox " + address + ": password"});
  });
  EXPECT_TRUE(noted);
}

}  // namespace syncline::service::testing
