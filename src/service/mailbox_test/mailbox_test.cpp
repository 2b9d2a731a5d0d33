// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/mailbox_test/mailbox_test.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "base/text.hpp"
#include "ews/client/operation_kind.hpp"
#include "net/url.hpp"
#include "net/with_deadline.hpp"
#include "service/engine/mailbox_connection.hpp"
#include "service/engine/mailbox_state.hpp"
#include "service/mailbox_test/causes.hpp"
#include "service/mailbox_test/watched_environment.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using model::RecordKind;
using std::chrono::milliseconds;

/// Steps' times for which it is waited for a connection that the profile allows.
constexpr int most_waits_for_others = 10;
/// A server's words may be a whole page.
constexpr std::size_t most_said = 1000;
/// Of a page of the inbox: the test message is among the newest.
constexpr std::size_t newest_looked_at = 10;

std::string limited(std::string text) {
  text = text::to_xml_text(text);
  if (text.size() <= most_said) return text;
  std::size_t end = most_said;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

bool passes(const Error& error) {
  return error.retry == RetryClass::after || error.retry == RetryClass::now ||
         error.retry == RetryClass::resync;
}

/// Of a write that is tested: nothing has to outlive the process.
class TestProgress final : public sync::Progress {
 public:
  TestProgress(const Clock& clock, milliseconds settle_time) : clock_(clock), settle_time_(settle_time) {}
  std::string_view text() const override { return text_; }
  Result<void> save(std::string text) override {
    text_ = std::move(text);
    saved_at_ = clock_.now();
    return {};
  }
  SystemTime settled_after() const override { return saved_at_ + settle_time_; }

 private:
  const Clock& clock_;
  milliseconds settle_time_;
  std::string text_;
  SystemTime saved_at_{};
};

Result<std::unique_ptr<sync::ContentSource>> no_content(std::string_view) {
  return fail(ErrorDomain::local, "no-content", "a test has no attachments");
}

struct LegPlan {
  TestLeg leg;
  const router::LegRoute* route;
};

struct KindSteps {
  RecordKind kind;
  sync::FolderRole role;
  TestStepName read;
  TestStepName write;
  std::string_view folder;
};
constexpr KindSteps kind_steps[] = {
    {RecordKind::appointment, sync::FolderRole::calendar, TestStepName::read_calendar,
     TestStepName::write_calendar, "calendar"},
    {RecordKind::contact, sync::FolderRole::contacts, TestStepName::read_contacts,
     TestStepName::write_contacts, "contacts"},
    {RecordKind::task, sync::FolderRole::tasks, TestStepName::read_tasks, TestStepName::write_tasks, "tasks"},
};

class MailboxTest {
 public:
  MailboxTest(Organisation& organisation, const Connections& connections, const MailboxUnderTest& mailbox,
              MailboxTestSettings settings, OnTestStep on_step)
      : organisation_(organisation),
        mailbox_(mailbox),
        settings_(settings),
        on_step_(std::move(on_step)),
        watch_(std::make_shared<ConnectionWatch>()),
        connections_(connections.apart([watch = watch_](std::unique_ptr<net::SystemEnvironment> inner) {
          return watched_environment(std::move(inner), watch);
        })) {}

  Async<TestReport> run() {
    report_.started_at = organisation_.clock().now();
    plan();
    if (report_.steps.empty()) co_return std::move(report_);
    // What Autodiscover found for an earlier run would hide that it does not any more.
    if (auto forgotten = forget_endpoint(organisation_, mailbox_.address()); !forgotten)
      co_return fail(std::move(forgotten.error()));
    auto done = co_await run_legs();
    if (connection_) static_cast<void>(co_await connection_->close());
    if (!done) co_return fail(std::move(done.error()));
    report_.ended_at = organisation_.clock().now();
    told();
    co_return std::move(report_);
  }

 private:
  net::Environment& world() { return network_->environment(); }
  bool is_exchange(const LegPlan& leg) const { return leg.route->driver == router::Driver::ews; }
  bool finds_server(const LegPlan& leg) const { return is_exchange(leg) && leg.route->location.empty(); }

  void plan() {
    const router::Route& route = mailbox_.route();
    const auto add = [&](TestLeg leg, const std::optional<router::LegRoute>& made) {
      if (!made) return;
      legs_.push_back({leg, &*made});
      const auto step = [&](TestStepName name) { report_.steps.push_back({.leg = leg, .name = name}); };
      if (finds_server(legs_.back())) step(TestStepName::find_server);
      step(TestStepName::resolve);
      step(TestStepName::connect);
      const bool has_tls = is_exchange(legs_.back())
                               ? !text::to_lower_ascii(made->location).starts_with("http:")
                               : made->tls != router::TlsMode::none;
      if (has_tls) step(TestStepName::tls);
      if (made->authentication != rules::Word::anonymous && made->authentication != rules::Word::none)
        step(TestStepName::authenticate);
      if (leg == TestLeg::incoming) step(TestStepName::open_inbox);
      if (leg == TestLeg::outgoing)
        for (const TestStepName name : {TestStepName::send_to_self, TestStepName::find_message}) step(name);
      if (leg == TestLeg::act)
        for (const KindSteps& kind : kind_steps)
          for (const TestStepName name : {kind.read, kind.write}) step(name);
    };
    add(TestLeg::incoming, route.incoming);
    add(TestLeg::outgoing, route.outgoing);
    add(TestLeg::act, route.act);
  }

  // --- steps ---

  void told() {
    if (on_step_) on_step_(report_);
  }
  void begin(TestLeg leg, TestStepName name) {
    if (TestStep* step = report_.find(leg, name)) {
      step->state = StepState::running;
      began_ = organisation_.clock().steady_now();
      told();
    }
  }
  void succeed(TestLeg leg, TestStepName name, std::string detail = {}) {
    TestStep* step = report_.find(leg, name);
    if (step == nullptr) return;
    if (step->state == StepState::running) step->took = elapsed();
    step->state = StepState::success;
    step->detail = limited(std::move(detail));
    told();
  }
  void skip(TestLeg leg, TestStepName name, std::string why) {
    if (TestStep* step = report_.find(leg, name)) {
      step->state = StepState::not_run;
      step->detail = std::move(why);
    }
  }
  milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(organisation_.clock().steady_now() - began_);
  }

  /// The step is the one that failed; those before it in its leg were taken, those after it are not.
  void fail_step(TestLeg leg, TestStepName name, const Error& error) {
    TestStep* failed = report_.find(leg, name);
    for (TestStep& step : report_.steps) {
      if (step.leg != leg) continue;
      if (failed == nullptr) failed = &step;
      if (step.name < failed->name && step.state != StepState::failure) {
        step.state = StepState::success;
        if (step.detail.empty()) step.detail = detail_of(step.name);
      }
      if (step.name > failed->name && step.state == StepState::running) step.state = StepState::not_run;
    }
    if (failed == nullptr) return;
    failed->took = elapsed();
    failed->state = StepState::failure;
    failed->failure = failure_of(error);
    told();
  }

  std::string detail_of(TestStepName name) const {
    const auto seen = [&](ConnectionEvent::Stage stage) {
      const ConnectionEvent* event = watch_->done(stage, host_);
      return event == nullptr ? std::string() : event->detail;
    };
    switch (name) {
      case TestStepName::find_server:
        return report_.endpoint;
      case TestStepName::resolve: {
        const std::string addresses = seen(ConnectionEvent::Stage::resolve);
        return addresses.empty() ? host_ : host_ + ": " + addresses;
      }
      case TestStepName::connect:
        return seen(ConnectionEvent::Stage::connect);
      case TestStepName::tls:
        return watch_->done(ConnectionEvent::Stage::tls, host_) == nullptr
                   ? std::string()
                   : "the certificate of " + host_ + " is good";
      default:
        return {};
    }
  }

  /// The connection of a leg stands and has let us in.
  void succeed_to_authenticate(TestLeg leg) {
    for (TestStep& step : report_.steps)
      if (step.leg == leg && step.name <= TestStepName::authenticate && step.state != StepState::failure) {
        if (step.state == StepState::running) step.took = elapsed();
        step.state = StepState::success;
        step.detail = detail_of(step.name);
      }
    told();
  }

  /// At which step a first use of a connection broke off.
  TestStepName step_of(const Error& error, TestStepName asked) const {
    if (error.domain == ErrorDomain::net || error.domain == ErrorDomain::tls) {
      if (error.code == "port-wants-tls") return TestStepName::tls;
      if (const ConnectionEvent* broken = watch_->broken()) {
        // Somewhere else than the leg's server: where tokens come from.
        if (!host_.empty() && broken->host != host_ && broken->host == token_host())
          return TestStepName::authenticate;
        switch (broken->stage) {
          case ConnectionEvent::Stage::resolve:
            return TestStepName::resolve;
          case ConnectionEvent::Stage::connect:
            return TestStepName::connect;
          case ConnectionEvent::Stage::tls:
            return TestStepName::tls;
        }
      }
      if (error.domain == ErrorDomain::tls) return TestStepName::tls;
      if (error.code == "name-not-found" || error.code == "dns-failed") return TestStepName::resolve;
      return asked <= TestStepName::authenticate ? TestStepName::connect : asked;
    }
    if (error.domain == ErrorDomain::auth || error.domain == ErrorDomain::input || error.http_status == 401 ||
        error.http_status == 403)
      return TestStepName::authenticate;
    const std::string_view cause = cause_of(error).id;
    if (cause == "impersonation-denied" || cause == "password-wrong" || cause == "app-password-needed" ||
        cause == "basic-authentication-off" || cause == "mailbox-not-enabled-for-protocol" ||
        cause == "conditional-access" || cause == "account-disabled" || cause == "browser-sign-in-needed" ||
        cause == "sending-not-enabled")
      return TestStepName::authenticate;
    if (cause == "wrong-protocol" || cause == "no-ews-here") return TestStepName::connect;
    return asked;
  }

  std::string token_host() const {
    const std::string stated =
        mailbox_.profile().oauth.token_endpoint.value_or("https://login.microsoftonline.com/");
    const auto url = net::parse_url(stated);
    return url ? url->host : std::string();
  }

  /// Bounded in time.
  template <class T>
  Async<T> within(milliseconds time, Async<T> work, std::string what) {
    Error late{.domain = ErrorDomain::net,
               .code = "timeout",
               .message = what + " takes longer than " + std::to_string(time.count() / 1000) + " seconds",
               .retry = RetryClass::after};
    const SteadyTime end = world().clock.steady_now() + time;
    auto bounded = net::with_deadline(world().timers, end, std::move(work), std::move(late));
    auto done = co_await std::move(bounded);
    if (!done && done.error().code == "timeout") co_return fail(behind(std::move(done.error())));
    co_return done;
  }

  /// Our patience ended before that of the code that connects: what it has met last says more than a time.
  Error behind(Error late) const {
    const ConnectionEvent* broken = watch_->broken();
    if (broken != nullptr && broken->error && broken->error->code != "cancelled") return *broken->error;
    if (const auto left = connection_ ? connection_->pause_left() : std::nullopt)
      return {.domain = ErrorDomain::ews,
              .code = "ErrorServerBusy",
              .message = "the server has asked for a pause, and runs and tests keep it",
              .retry = RetryClass::after,
              .retry_after = left};
    if (!connection_ && connections_->waits_for_place())
      return {.domain = ErrorDomain::net,
              .code = "connections-in-use",
              .message = "all connections that the profile allows one credential are in use",
              .retry = RetryClass::after};
    // Exchange was reached, and reads are repeated below us while it is busy.
    if (exchange_ && broken == nullptr && !watch_->events().empty()) late.code = "no-reply";
    return late;
  }

  // --- legs ---

  Async<std::unique_ptr<MailboxConnection>> connect() {
    std::string doing = "finding and preparing the connection";
    auto connecting = connect_mailbox(organisation_, *connections_, mailbox_);
    co_return co_await within(settings_.step_time, std::move(connecting), std::move(doing));
  }

  Async<void> run_legs() {
    auto network = connections_->network_of(mailbox_.profile());
    if (!network) {
      fail_step(legs_.front().leg, first_step(legs_.front()), network.error());
      co_return Result<void>{};
    }
    network_ = *network;
    for (const LegPlan& leg : legs_)
      if (is_exchange(leg)) exchange_ = true;
    const LegPlan& first = opening_leg();
    began_ = organisation_.clock().steady_now();
    begin(first.leg, first_step(first));
    auto connected = co_await connect();
    // Waiting for others to end is no step of this mailbox's.
    const SteadyTime patience = began_ + most_waits_for_others * settings_.step_time;
    while (!connected && connected.error().code == "connections-in-use" &&
           world().clock.steady_now() < patience)
      connected = co_await connect();
    if (!connected) {
      if (is_of_machine(connected.error())) co_return fail(std::move(connected.error()));
      const bool is_credentials = refuses_credentials(connected.error()) ||
                                  connected.error().domain == ErrorDomain::input ||
                                  connected.error().domain == ErrorDomain::auth;
      const TestStepName at = is_credentials        ? TestStepName::authenticate
                              : finds_server(first) ? TestStepName::find_server
                                                    : step_of(connected.error(), TestStepName::authenticate);
      fail_step(first.leg, at, connected.error());
      skip_rest(first.leg);
      co_return Result<void>{};
    }
    connection_ = std::move(*connected);
    report_.endpoint = connection_->endpoint();
    watch_->clear();

    const bool opened = co_await open(first);
    if (opened) {
      if (has(TestLeg::incoming)) co_await open_inbox();
    } else if (exchange_) {
      skip_rest(first.leg);
      co_return Result<void>{};
    }
    if (has(TestLeg::outgoing)) co_await send_to_self();
    if (has(TestLeg::act) && opened) co_await use_kinds();
    co_return Result<void>{};
  }

  bool has(TestLeg leg) const {
    return std::any_of(legs_.begin(), legs_.end(), [&](const LegPlan& one) { return one.leg == leg; });
  }
  const LegPlan& leg_of(TestLeg leg) const {
    return *std::find_if(legs_.begin(), legs_.end(), [&](const LegPlan& one) { return one.leg == leg; });
  }
  /// Whose connection is made first: Exchange's is one for all its legs.
  const LegPlan& opening_leg() const {
    for (const LegPlan& leg : legs_)
      if (is_exchange(leg) == exchange_) return leg;
    return legs_.front();
  }
  TestStepName first_step(const LegPlan& leg) const {
    return finds_server(leg) ? TestStepName::find_server : TestStepName::resolve;
  }
  void skip_rest(TestLeg but) {
    for (TestStep& step : report_.steps)
      if (step.leg != but && step.state == StepState::not_run)
        step.detail = "not tried: " + std::string(to_string(but)) + " has failed";
  }
  static bool is_of_machine(const Error& error) { return error.domain == ErrorDomain::local; }

  std::string host_of(const LegPlan& leg) const {
    if (!is_exchange(leg)) return leg.route->location;
    const auto url = net::parse_url(report_.endpoint);
    return url ? url->host : std::string();
  }

  /// Signs in for the first time. A leg that only sends has to wait for its message.
  net::asio::awaitable<bool> open(const LegPlan& leg) {
    host_ = host_of(leg);
    if (!exchange_ && leg.leg == TestLeg::outgoing) co_return true;
    begin(leg.leg, TestStepName::resolve);
    const Result<void> opened = co_await use_first();
    if (!opened) {
      const Error error = co_await looked_into(opened.error(), leg);
      connection_->ended(fail(error));
      fail_step(leg.leg, step_of(error, TestStepName::authenticate), error);
      co_return false;
    }
    connection_->answered();
    report_.server_version = connection_->server_version();
    for (const LegPlan& one : legs_)
      if (is_exchange(one) == is_exchange(leg) && (exchange_ || one.leg == leg.leg))
        succeed_to_authenticate(one.leg);
    co_return true;
  }

  Async<void> use_first() {
    std::string what = "signing in and listing the folders";
    auto listing = connection_->driver().folders();
    auto folders = co_await within(settings_.step_time, std::move(listing), std::move(what));
    if (!folders) co_return fail(std::move(folders.error()));
    folders_ = std::move(*folders);
    const LegPlan& leg = opening_leg();
    if (leg.route->driver != router::Driver::pop3) co_return Result<void>{};
    // POP3's one folder is known without a question.
    const sync::RemoteFolder* inbox = folder(sync::FolderRole::inbox);
    std::string reading = "signing in and listing the inbox";
    auto pulling = connection_->driver().pull(*inbox, {}, newest_looked_at);
    auto page = co_await within(settings_.step_time, std::move(pulling), std::move(reading));
    if (!page) co_return fail(std::move(page.error()));
    co_return Result<void>{};
  }

  /// A server that says nothing at a port in clear: perhaps it waits for TLS. Asked once more, by TLS.
  net::asio::awaitable<Error> looked_into(Error error, const LegPlan& leg) {
    const bool is_silent = error.domain == ErrorDomain::net && watch_->broken() == nullptr;
    if (is_exchange(leg) || leg.route->tls == router::TlsMode::implicit || !is_silent ||
        watch_->done(ConnectionEvent::Stage::tls, host_) != nullptr)
      co_return error;
    const bool speaks = co_await speaks_tls(leg);
    if (speaks) {
      error.code = "port-wants-tls";
      error.message += "; asked once more with TLS from the first octet, it answers";
      error.retry = RetryClass::never;
    }
    co_return error;
  }

  net::asio::awaitable<bool> speaks_tls(const LegPlan& leg) {
    net::Environment& environment = world();
    std::string host = leg.route->location;
    auto resolving = environment.resolver.addresses(std::move(host));
    std::string what = "resolving";
    auto addresses = co_await within(settings_.step_time, std::move(resolving), what);
    if (!addresses || addresses->empty()) co_return false;
    std::string address = addresses->front();
    auto connecting = environment.connector.connect(std::move(address), leg.route->port);
    auto stream = co_await within(settings_.step_time, std::move(connecting), what);
    if (!stream) co_return false;
    const net::TlsPolicy policy{.ca_file = mailbox_.profile().ca_file.value_or("")};
    std::string name = leg.route->location;
    auto securing = environment.connector.start_tls(std::move(*stream), std::move(name), policy);
    auto secured = co_await within(settings_.step_time, std::move(securing), what);
    co_return secured || secured.error().code == "certificate";
  }

  const sync::RemoteFolder* folder(sync::FolderRole role) const {
    for (const sync::RemoteFolder& one : folders_)
      if (one.role == role) return &one;
    return nullptr;
  }

  static Error folder_missing(std::string_view name) {
    return {.domain = ErrorDomain::mail,
            .code = "folder-missing",
            .message = "among the mailbox's folders there is no " + std::string(name)};
  }

  net::asio::awaitable<void> open_inbox() {
    if (mailbox_.mailbox().store == model::FolderStore::public_folders) {
      skip(TestLeg::incoming, TestStepName::open_inbox, "public folders have none");
      co_return;
    }
    begin(TestLeg::incoming, TestStepName::open_inbox);
    const sync::RemoteFolder* inbox = folder(sync::FolderRole::inbox);
    if (inbox == nullptr) {
      fail_step(TestLeg::incoming, TestStepName::open_inbox, folder_missing("inbox"));
      co_return;
    }
    const Result<void> read = co_await read_first_page(*inbox);
    if (!read) {
      fail_step(TestLeg::incoming, TestStepName::open_inbox, read.error());
      co_return;
    }
    can_read_inbox_ = true;
    succeed(TestLeg::incoming, TestStepName::open_inbox,
            inbox->name + ", " + std::to_string(inbox->total_items) + " items");
  }

  Async<void> read_first_page(const sync::RemoteFolder& from) {
    std::string what = "reading the folder " + from.name;
    auto pulling = connection_->driver().pull(from, {}, 1);
    auto page = co_await within(settings_.step_time, std::move(pulling), std::move(what));
    if (!page) co_return fail(std::move(page.error()));
    co_return Result<void>{};
  }

  // --- a message to the mailbox itself ---

  sync::WriteOrder message(const std::string& subject) {
    sync::WriteOrder order{.what = sync::WriteOrder::What::send,
                           .operation_id = organisation_.random().uuid(),
                           .is_automatic = true};
    order.fields["subject"] = subject;
    order.fields["body"] =
        json::object{{"type", "text"},
                     {"value",
                      "Syncline tests whether it can send from this mailbox and read what comes.\r\n"
                      "It removes this message by itself; nothing has to be done.\r\n"}};
    order.fields["toRecipients"] = json::array{json::object{{"emailAddress", mailbox_.address()}}};
    return order;
  }

  net::asio::awaitable<void> send_to_self() {
    const LegPlan& leg = leg_of(TestLeg::outgoing);
    const bool apart = !is_exchange(leg);
    if (apart) {
      host_ = leg.route->location;
      watch_->clear();
    }
    const bool may_look = exchange_ || can_read_inbox_;
    const sync::RemoteFolder* inbox = folder(sync::FolderRole::inbox);
    if (may_look && inbox != nullptr) {
      auto before = co_await newest(*inbox);
      if (before) seen_.insert(before->begin(), before->end());
    }
    const std::string token = organisation_.random().uuid();
    const std::string subject = "Syncline test " + token;
    const sync::WriteOrder order = message(subject);
    TestProgress progress(organisation_.clock(), mailbox_.policies().sync.server_time_limit);
    begin(TestLeg::outgoing, apart ? TestStepName::resolve : TestStepName::send_to_self);
    const sync::OpenContent content = no_content;
    std::string what = "sending";
    auto applying = connection_->driver().apply(order, progress, content);
    auto sent = co_await within(2 * settings_.step_time, std::move(applying), std::move(what));
    if (!sent && sent.error().code != "uncertain") {
      Error error = std::move(sent.error());
      if (apart) error = co_await looked_into(std::move(error), leg);
      connection_->ended(fail(error));
      fail_step(TestLeg::outgoing,
                apart ? step_of(error, TestStepName::send_to_self) : TestStepName::send_to_self, error);
      co_return;
    }
    if (apart) succeed_to_authenticate(TestLeg::outgoing);
    succeed(TestLeg::outgoing, TestStepName::send_to_self, sent ? subject : "no answer came; looking for it");
    if (sent && exchange_ && !sent->item.id.empty()) co_await remove_quietly(RecordKind::email, sent->item);
    if (!may_look || inbox == nullptr) {
      skip(TestLeg::outgoing, TestStepName::find_message,
           has(TestLeg::incoming) ? "the inbox could not be opened" : "nothing reads this mailbox's mail");
      co_return;
    }
    co_await find_message(*inbox, subject);
  }

  /// Ids of what came last.
  Async<std::vector<std::string>> newest(const sync::RemoteFolder& inbox) {
    sync::Driver& driver = connection_->driver();
    std::string what = "looking into the inbox";
    if (exchange_) {
      // Clocks differ; what is older than a few minutes is none of ours.
      auto asking = driver.received_since(inbox, organisation_.clock().now() - std::chrono::minutes(15));
      co_return co_await within(settings_.step_time, std::move(asking), std::move(what));
    }
    // POP3 shows what is new to a new session only.
    if (opening_leg().route->driver == router::Driver::pop3) static_cast<void>(co_await connection_->close());
    auto pulling = driver.pull(inbox, {}, newest_looked_at);
    auto page = co_await within(settings_.step_time, std::move(pulling), std::move(what));
    if (!page) co_return fail(std::move(page.error()));
    std::vector<std::string> ids;
    for (const sync::FeedEntry& entry : page->entries)
      if (entry.what == sync::FeedEntry::What::changed) ids.push_back(entry.item.id);
    co_return ids;
  }

  net::asio::awaitable<void> find_message(const sync::RemoteFolder& inbox, const std::string& subject) {
    begin(TestLeg::outgoing, TestStepName::find_message);
    const SteadyTime end = world().clock.steady_now() + settings_.arrival_time;
    for (;;) {
      auto found = co_await look_for(inbox, subject);
      if (!found && !passes(found.error())) {
        fail_step(TestLeg::outgoing, TestStepName::find_message, found.error());
        co_return;
      }
      if (found && *found) {
        const bool removed = co_await remove_quietly(RecordKind::email, **found);
        succeed(TestLeg::outgoing, TestStepName::find_message,
                removed ? "it came, and was removed" : "it came; it could not be removed");
        co_return;
      }
      const SteadyTime now = world().clock.steady_now();
      if (now >= end) break;
      static_cast<void>(co_await world().timers.sleep_until(std::min(end, now + settings_.arrival_pause)));
    }
    const Error missing{.domain = ErrorDomain::mail,
                        .code = "message-did-not-arrive",
                        .message = "the message \"" + subject + "\" has not come within " +
                                   std::to_string(settings_.arrival_time.count() / 1000) + " seconds",
                        .retry = RetryClass::after};
    fail_step(TestLeg::outgoing, TestStepName::find_message, missing);
  }

  Async<std::optional<sync::RemoteRef>> look_for(const sync::RemoteFolder& inbox,
                                                 const std::string& subject) {
    auto ids = co_await newest(inbox);
    if (!ids) co_return fail(std::move(ids.error()));
    std::vector<std::string> fresh;
    for (std::string& id : *ids)
      if (!seen_.contains(id)) fresh.push_back(std::move(id));
    if (fresh.empty()) co_return std::optional<sync::RemoteRef>();
    std::string what = "reading new mail";
    std::vector<std::string> wanted = fresh;
    auto reading = connection_->driver().read(RecordKind::email, std::move(wanted), false);
    auto items = co_await within(settings_.step_time, std::move(reading), std::move(what));
    if (!items) co_return fail(std::move(items.error()));
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (!(*items)[i]) continue;
      if (model::text_of((*items)[i]->fields, "subject") == subject)
        co_return std::optional<sync::RemoteRef>((*items)[i]->ref);
      seen_.insert(fresh[i]);
    }
    co_return std::optional<sync::RemoteRef>();
  }

  // --- appointments, contacts, tasks ---

  model::Fields item_fields(RecordKind kind) const {
    model::Fields fields;
    // Private items never become records, whoever reads the mailbox meanwhile (invariant 19).
    fields["sensitivity"] = "Private";
    const std::string name = "Syncline test, removed at once";
    if (kind == RecordKind::contact) {
      fields["givenName"] = "Syncline";
      fields["surname"] = "Test";
      return fields;
    }
    fields["subject"] = name;
    if (kind == RecordKind::task) return fields;
    const auto day = std::chrono::floor<std::chrono::days>(organisation_.clock().now());
    const std::chrono::year_month_day date(day + std::chrono::days(1));
    const auto number = [](auto value, std::size_t width) {
      std::string digits = std::to_string(value);
      return std::string(width > digits.size() ? width - digits.size() : 0, '0') + digits;
    };
    const std::string tomorrow = number(int{date.year()}, 4) + "-" + number(unsigned{date.month()}, 2) + "-" +
                                 number(unsigned{date.day()}, 2);
    fields["start"] = tomorrow + "T03:00:00Z";
    fields["end"] = tomorrow + "T03:15:00Z";
    fields["legacyFreeBusyStatus"] = "Free";
    fields["reminderIsSet"] = false;
    return fields;
  }

  net::asio::awaitable<void> use_kinds() {
    for (const KindSteps& steps : kind_steps) {
      begin(TestLeg::act, steps.read);
      const sync::RemoteFolder* where = folder(steps.role);
      if (where == nullptr && mailbox_.mailbox().store != model::FolderStore::mailbox) {
        skip(TestLeg::act, steps.read,
             "there is no such folder among those of the group or the public folders");
        skip(TestLeg::act, steps.write, "there is no such folder");
        continue;
      }
      if (where == nullptr) {
        fail_step(TestLeg::act, steps.read, folder_missing(steps.folder));
        continue;
      }
      const Result<void> read = co_await read_first_page(*where);
      if (!read) {
        fail_kind(steps.read, read.error());
        continue;
      }
      succeed(TestLeg::act, steps.read, where->name + ", " + std::to_string(where->total_items) + " items");
      begin(TestLeg::act, steps.write);
      const Result<void> written = co_await make_and_remove(steps.kind, *where);
      if (!written)
        fail_kind(steps.write, written.error());
      else
        succeed(TestLeg::act, steps.write, "made and removed again");
    }
  }

  /// One kind that fails says nothing of the kinds before it.
  void fail_kind(TestStepName name, const Error& error) {
    TestStep* step = report_.find(TestLeg::act, name);
    if (step == nullptr) return;
    step->took = elapsed();
    step->state = StepState::failure;
    step->failure = failure_of(error);
    told();
  }

  Async<void> make_and_remove(RecordKind kind, const sync::RemoteFolder& where) {
    const sync::WriteOrder order{.what = sync::WriteOrder::What::create,
                                 .operation_id = organisation_.random().uuid(),
                                 .kind = kind,
                                 .fields = item_fields(kind)};
    TestProgress progress(organisation_.clock(), mailbox_.policies().sync.server_time_limit);
    const sync::OpenContent content = no_content;
    std::string what = "making an item";
    auto applying = connection_->driver().apply(order, progress, content);
    auto made = co_await within(settings_.step_time, std::move(applying), std::move(what));
    if (!made) {
      Error error = std::move(made.error());
      if (error.code != "uncertain" && !ews::may_have_been_done(error)) co_return fail(std::move(error));
      const std::string became = co_await remove_late(kind, order.operation_id, where);
      co_return fail(std::move(error).during("making a test item; " + became));
    }
    sync::RemoteRef item = made->item;
    auto removed = co_await remove(kind, std::move(item));
    if (!removed) co_return fail(std::move(removed.error()).during("removing the test item again"));
    co_return Result<void>{};
  }

  /// What was made although no answer came: found by its mark, and removed. What became of it, in words.
  net::asio::awaitable<std::string> remove_late(RecordKind kind, std::string operation_id,
                                                const sync::RemoteFolder& where) {
    const SteadyTime end = world().clock.steady_now() + settings_.late_item_time;
    for (;;) {
      std::string what = "looking for the test item";
      auto looking = connection_->made_by(operation_id, where.id);
      auto found = co_await within(settings_.step_time, std::move(looking), std::move(what));
      if (found && !found->empty()) {
        bool all = true;
        for (const sync::RemoteRef& item : *found) {
          const bool removed = co_await remove_quietly(kind, item);
          all = all && removed;
        }
        co_return all ? "it was found and removed"
                      : "it was found in " + where.name + " and cannot be removed";
      }
      const SteadyTime now = world().clock.steady_now();
      if (now >= end)
        co_return found ? "it is not in " + where.name : "it may have been left in " + where.name;
      static_cast<void>(co_await world().timers.sleep_until(std::min(end, now + settings_.arrival_pause)));
    }
  }

  Async<void> remove(RecordKind kind, sync::RemoteRef item) {
    const sync::WriteOrder order{.what = sync::WriteOrder::What::remove,
                                 .operation_id = organisation_.random().uuid(),
                                 .kind = kind,
                                 .item = std::move(item)};
    TestProgress progress(organisation_.clock(), mailbox_.policies().sync.server_time_limit);
    const sync::OpenContent content = no_content;
    std::string what = "removing an item";
    auto applying = connection_->driver().apply(order, progress, content);
    auto done = co_await within(settings_.step_time, std::move(applying), std::move(what));
    if (!done) co_return fail(std::move(done.error()));
    co_return Result<void>{};
  }
  net::asio::awaitable<bool> remove_quietly(RecordKind kind, sync::RemoteRef item) {
    const Result<void> removed = co_await remove(kind, std::move(item));
    co_return removed.has_value();
  }

  Organisation& organisation_;
  const MailboxUnderTest& mailbox_;
  MailboxTestSettings settings_;
  OnTestStep on_step_;
  std::shared_ptr<ConnectionWatch> watch_;
  std::unique_ptr<Connections> connections_;
  Connections::Network* network_ = nullptr;
  std::unique_ptr<MailboxConnection> connection_;
  std::vector<LegPlan> legs_;
  bool exchange_ = false;  ///< one connection serves all legs
  std::vector<sync::RemoteFolder> folders_;
  std::string host_;  ///< of the leg that connects
  bool can_read_inbox_ = false;
  std::set<std::string> seen_;  ///< messages that were there before
  SteadyTime began_{};
  TestReport report_;
};

}  // namespace

StepFailure failure_of(const Error& error) {
  const Cause& cause = cause_of(error);
  return {.error = error.code,
          .said = limited(error.describe()),
          .cause = std::string(cause.id),
          .cause_text = std::string(cause.text),
          .remedy = std::string(cause.remedy),
          .passes = passes(error),
          .retry_after = error.retry_after};
}

Async<TestReport> test_mailbox(Organisation& organisation, const Connections& connections,
                               const MailboxUnderTest& mailbox, MailboxTestSettings settings,
                               OnTestStep on_step) {
  MailboxTest test(organisation, connections, mailbox, settings, std::move(on_step));
  co_return co_await test.run();
}

}  // namespace syncline::service
