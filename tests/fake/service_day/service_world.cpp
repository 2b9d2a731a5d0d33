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

constexpr std::string_view cloud_host = "outlook.office365.com";
constexpr std::string_view tenant_secret = "application secret";

std::string in_tenant(const std::string& address) {
  return address.substr(0, address.find('@')) + "@east.mail.onmicrosoft.com";
}

/// Every call takes a while, so that calls are under way at the same time; more of them at once than the
/// profile allows, or more in a minute, are refused.
exchange_sim::SiteLimits limits(unsigned connections) {
  exchange_sim::SiteLimits limits;
  limits.connections = connections;
  limits.sync_calls = connections;
  limits.requests_per_minute = ServiceWorld::requests_per_minute;
  limits.back_off = std::chrono::minutes(1);
  limits.service_time = std::chrono::milliseconds(40);
  return limits;
}

exchange_sim::Site tenant_of(const std::vector<std::string>& to_come) {
  exchange_sim::Site site;
  site.name = ServiceWorld::tenant;
  site.product = exchange_sim::Product::online;
  site.hosts = {std::string(cloud_host), "autodiscover-s.outlook.com"};
  site.schemes = {exchange_sim::Scheme::bearer};
  site.limits = limits(ServiceWorld::tenant_connections);
  for (const std::string& address : to_come) {
    exchange_sim::User user;
    user.address = in_tenant(address);
    user.aliases = {address};
    user.password = Secret(exchange_sim::testing::SimulatedExchange::password);
    site.users.push_back(std::move(user));
  }
  exchange_sim::Application application;
  application.client_id = "app-7";
  application.secret = Secret(tenant_secret);
  site.oauth.tenant = "tenant-7";
  site.oauth.applications = {std::move(application)};
  return site;
}

std::string on_premises(const std::string& name, unsigned connections, const std::string& more) {
  return "[[profile]]\nname = \"" + name +
         "\"\ntype = \"exchange_hybrid\"\niis_auth = \"basic\"\nin_auth_protocol = \"basic\"\n"
         "max_conn = " +
         std::to_string(connections) + "\n" + more;
}

std::string online() {
  return "[[profile]]\nname = \"Tenant\"\ntype = \"exchange_online\"\ntenant_id = \"tenant-7\"\n"
         "client_id = \"app-7\"\ntoken_endpoint = \"https://" +
         std::string(cloud_host) +
         "/tenant-7/oauth2/v2.0/token\"\nmax_conn = " + std::to_string(ServiceWorld::tenant_connections) +
         "\n";
}

}  // namespace

ServiceWorld::ServiceWorld(int mailboxes_each, std::uint64_t seed)
    : world(seed),
      east(world, {.host = "mail.east.example.com",
                   .addresses = addresses('e', mailboxes_each),
                   .limits = limits(eastern_connections),
                   .others = {tenant_of(addresses('e', mailboxes_each))}}),
      west(world, {.host = "mail.west.example.com",
                   .addresses = addresses('w', mailboxes_each),
                   .limits = limits(western_connections)}),
      eastern(addresses('e', mailboxes_each)),
      western(addresses('w', mailboxes_each)),
      folder_(fs::path(::testing::TempDir()) / ("service-" + system_random().uuid())) {
  fs::create_directories(folder_);
  world.serve_http("autodiscover.east.example.com", 443,
                   east.sim().handler(exchange_sim::testing::SimulatedExchange::site));
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
      on_premises("East", eastern_connections,
                  "autodiscover = true\nauth_in = \"profile_credentials\"\nimpersonation = true\n"
                  "user_name = \"" +
                      std::string(exchange_sim::testing::SimulatedExchange::service_account) + "\"\n") +
      on_premises("West", western_connections,
                  "autodiscover = false\nauth_in = \"mailbox_credentials\"\nin_host = \"" + west.url() +
                      "\"\nout_host = \"" + west.url() + "\"\n") +
      online();
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
  EXPECT_TRUE(organisation_->secrets().put("profile/Tenant/client-secret", Secret(tenant_secret)));
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
  placement_.reset();
  daemon_.reset();
  engine_.reset();
  organisation_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

/// As the machine's own network is made (Connections): as many connections as the profile allows.
Result<std::unique_ptr<Connections::Network>> ServiceWorld::network(const model::Profile& profile) {
  auto made = std::make_unique<Connections::Network>();
  made->system = std::make_unique<VirtualSystem>(world.environment());
  net::HttpClientSettings settings;
  settings.connections_per_pool = static_cast<std::size_t>(profile.maximum_connections.value_or(10));
  auto http = net::make_http_client(world.environment(), std::move(settings));
  if (!http) return fail(std::move(http.error()));
  made->http = std::move(*http);
  return made;
}

void ServiceWorld::start(DaemonSettings settings, std::chrono::milliseconds look_for_all_every) {
  auto connections = std::make_shared<Connections>(
      world.executor(), [this](const model::Profile& profile) { return network(profile); });
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
  if (look_for_all_every <= std::chrono::milliseconds(0)) return;
  placement_stop_ = std::make_shared<PlacementStop>();
  placement_ = std::make_unique<PlacementWatch>(
      world.environment(), *organisation_, PlacementWatchSettings::of_interval(look_for_all_every),
      [this](std::vector<std::string> looked_for) {
        return look_for_mailboxes(world.executor(), *organisation_,
                                  {.addresses = std::move(looked_for),
                                   .at_once = PlacementWatchSettings{}.at_once,
                                   .follow_moves = true,
                                   .connections = engine_->connections(),
                                   .stop = placement_stop_},
                                  {.who = "daemon"});
      });
  is_placing_ = true;
  world.spawn([](ServiceWorld& self) -> net::asio::awaitable<void> {
    const Result<void> placed = co_await self.placement_->run();
    if (!placed) ADD_FAILURE() << placed.error().describe();
    self.is_placing_ = false;
  }(*this));
}

Result<void> ServiceWorld::stop() {
  daemon_->stop();
  if (placement_) {
    placement_->stop();
    placement_stop_->want();
  }
  for (int i = 0; i < 60 && (!ended_ || is_placing_); ++i) world.run_for(std::chrono::seconds(2));
  if (!ended_ || is_placing_)
    return fail(ErrorDomain::local, "stuck", "the daemon has not ended in two minutes");
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
  for (Arrived& one : arrived_records()) ids.push_back(std::move(one.message_id));
  return ids;
}

std::vector<Arrived> ServiceWorld::arrived_records() {
  std::vector<Arrived> seen;
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
          seen.push_back({.message_id = std::string(id->get_string()), .record = change.id});
      }
    }
    return {};
  });
  if (!looked) ADD_FAILURE() << looked.error().describe();
  return seen;
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
  note_secret("mailbox " + address + ": password");
}

void ServiceWorld::set_account_password(const std::string& password) {
  EXPECT_TRUE(organisation_->secrets().put("profile/East/password", Secret(password)));
  note_secret("profile East: password");
}

void ServiceWorld::note_secret(const std::string& object) {
  auto noted = organisation_->store().write<void>([&](store::Transaction& transaction) {
    return store::append_audit(transaction, {.who = "test", .act = "secret.set", .object = object});
  });
  EXPECT_TRUE(noted);
}

void ServiceWorld::change_account(const std::string& password) {
  using exchange_sim::testing::SimulatedExchange;
  EXPECT_TRUE(
      east.sim().set_password(SimulatedExchange::site, SimulatedExchange::service_account, Secret(password)));
}

void ServiceWorld::move_to_tenant(const std::string& address) {
  const std::string there = in_tenant(address);
  auto moved = east.service().move_mailbox(address, tenant, there);
  if (!moved) ADD_FAILURE() << moved.error().describe();
  EXPECT_TRUE(east.sim().move_mailbox(exchange_sim::testing::SimulatedExchange::site,
                                      {.address = address, .redirect_address = there, .redirect_url = {}}));
}

std::string ServiceWorld::profile_of(const std::string& address) {
  auto acts = organisation_->store().read<std::int64_t>(
      [](store::Transaction& transaction) { return store::last_audit(transaction); });
  if (acts && *acts != configured_at_) {
    auto loaded = organisation_->load();
    if (!loaded) {
      ADD_FAILURE() << loaded.error().describe();
      return {};
    }
    configuration_ = std::move(loaded->configuration);
    configured_at_ = *acts;
  }
  const model::Mailbox* mailbox = configuration_.mailbox_of(address);
  return mailbox == nullptr ? std::string() : mailbox->profile.value_or("");
}

}  // namespace syncline::service::testing
