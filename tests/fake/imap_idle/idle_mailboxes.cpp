// SPDX-License-Identifier: GPL-3.0-or-later
// Watches many IMAP mailboxes on one thread as the daemon does, each by a connection of its own: what that
// costs, and when a new message is a committed record. For idle_connections.py.
//   idle_mailboxes HOST PORT TLS-PORT CA-FILE DOMAIN FOLDER    FOLDER: of the store
// Standard input: the password, then commands, each answered by a line of JSON:
//   open clear|tls COUNT    the mailboxes of the next COUNT users (user0@DOMAIN, …); answered when each was
//                           looked at once
//   measure                 octets of heap (the store's page cache is among them) and resident octets
// Then and between them, for each look that found something: {"stored": USER, "came": N, "at": MONOTONIC-NS}.
// The end of standard input ends it, with a summary.
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "auth/blocking_pool.hpp"
#include "base/text.hpp"
#include "net/system_environment.hpp"
#include "routing/imap/driver/imap_driver.hpp"
#include "service/engine/idle_watch.hpp"
#include "store/configuration.hpp"
#include "sync/mailbox_run.hpp"

namespace {

using namespace syncline;

/// Connections that are made, and mailboxes that are looked at for the first time, at once.
constexpr std::size_t most_at_once = 50;

struct Place {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t tls_port = 0;
  std::string ca_file;
  std::string domain;
  std::string password;
};

/// A connection as the daemon's runs leave it behind.
class ImapConnection final : public service::MailboxConnection {
 public:
  ImapConnection(net::Environment& environment, imap::DriverSettings settings)
      : driver_(environment, std::move(settings)) {}
  sync::Driver& driver() override { return driver_; }
  net::Async<sync::Claim> look_at_claim(std::string, bool) override { co_return sync::Claim{.ours = true}; }
  std::string endpoint() const override { return {}; }
  net::Async<void> close() override { return driver_.close(); }
  imap::ImapDriver* imap() noexcept override { return &driver_; }

 private:
  imap::ImapDriver driver_;
};

/// One mailbox with all that it takes to run it.
class Mailbox {
 public:
  struct Shared {
    net::Environment& environment;
    store::Store& store;
    store::ContentStore& content;
    const sync::Surroundings& surroundings;
    const Place& place;
    std::shared_ptr<auth::BlockingPool> blocking;
    net::Event& settled;
    service::IdleWatch* watch = nullptr;
    std::size_t looked_at_once = 0;
  };

  Mailbox(Shared& shared, std::size_t number, bool tls, store::MailboxId id, std::string user)
      : shared_(shared), number_(number), tls_(tls) {
    settings_.mailbox = id;
    settings_.address = settings_.owner = std::move(user);
    settings_.mail_in = true;
    settings_.policies.mail.track = model::MailFilter::all;
    settings_.policies.mail.track_sent = false;
    settings_.organisation_name = "idle";
  }

  /// One run, and another one if it was woken meanwhile.
  net::asio::awaitable<void> run() {
    is_wanted_ = true;
    if (std::exchange(is_running_, true)) co_return;
    while (std::exchange(is_wanted_, false)) {
      const Result<void> looked = co_await look();
      if (!looked) {
        ++failures_;
        std::fprintf(stderr, "user%zu: %s\n", number_,
                     text::escape_for_display(looked.error().describe()).c_str());
        if (!looked_at_) std::exit(1);
      }
    }
    is_running_ = false;
  }
  std::uint64_t failures() const { return failures_; }
  std::uint64_t looks() const { return looks_; }

 private:
  imap::DriverSettings driver_settings() const {
    imap::DriverSettings made;
    made.endpoint.host = shared_.place.host;
    made.endpoint.port = tls_ ? shared_.place.tls_port : shared_.place.port;
    made.endpoint.tls = tls_ ? mail::TlsMode::implicit : mail::TlsMode::none;
    made.endpoint.policy.ca_file = shared_.place.ca_file;
    made.connect.sign_in.identity.user = settings_.address;
    made.connect.sign_in.identity.password = Secret(std::string_view(shared_.place.password));
    made.connect.sign_in.policy.allowed = {"PLAIN"};
    made.connect.sign_in.policy.clear_text_without_tls = true;
    made.connect.sign_in.blocking = shared_.blocking;
    return made;
  }

  net::Async<void> look() {
    ++looks_;
    auto kept = co_await shared_.watch->take(settings_.address);
    if (!kept) co_return fail(std::move(kept.error()));
    service::IdleWatch::Kept with;
    if (*kept) with = std::move(**kept);
    if (!with.connection)
      with.connection = std::make_unique<ImapConnection>(shared_.environment, driver_settings());
    sync::RunOptions options;
    auto summary = co_await sync::run_mailbox(shared_.surroundings, shared_.store, shared_.content,
                                              with.connection->driver(), settings_, options);
    if (!summary) co_return fail(std::move(summary.error()));
    const std::uint64_t came = summary->of(model::RecordKind::email).came;
    if (came > 0) {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      std::printf("{\"stored\":%zu,\"came\":%llu,\"at\":%lld}\n", number_,
                  static_cast<unsigned long long>(came),
                  static_cast<long long>(std::chrono::nanoseconds(now).count()));
      std::fflush(stdout);
    }
    if (!shared_.watch->keep(settings_.address, with))
      co_return fail(ErrorDomain::mail, "not-kept", "the watch does not want the connection");
    if (!looked_at_) {
      looked_at_ = true;
      ++shared_.looked_at_once;
      shared_.settled.notify_all();
    }
    co_return Result<void>{};
  }

  Shared& shared_;
  std::size_t number_;
  bool tls_;
  sync::MailboxSettings settings_;
  std::uint64_t looks_ = 0;
  std::uint64_t failures_ = 0;
  bool is_running_ = false;
  bool is_wanted_ = false;
  bool looked_at_ = false;
};

class Idle {
 public:
  Idle(net::asio::io_context& context, Mailbox::Shared& shared)
      : context_(context),
        shared_(shared),
        // Looks for nobody's sake would only be counted against them.
        watch_(shared.environment, {.changed = [this](const std::string& address) { wake(address); }},
               std::chrono::hours(24)) {
    shared_.watch = &watch_;
  }

  net::asio::awaitable<void> serve() {
    net::asio::posix::stream_descriptor input(context_, ::dup(STDIN_FILENO));
    std::string text;
    for (;;) {
      const auto completion = net::asio::as_tuple(net::asio::use_awaitable);
      const auto [ended, octets] =
          co_await net::asio::async_read_until(input, net::asio::dynamic_buffer(text), '\n', completion);
      if (ended) break;
      std::istringstream words(text.substr(0, octets));
      text.erase(0, octets);
      std::string what;
      words >> what;
      if (what == "measure") {
        measure();
      } else if (what == "open") {
        std::string how;
        std::size_t count = 0;
        words >> how >> count;
        co_await open(how == "tls", count);
      }
    }
    std::uint64_t failures = 0;
    std::uint64_t looks = 0;
    for (const auto& mailbox : mailboxes_) {
      failures += mailbox->failures();
      looks += mailbox->looks();
    }
    std::printf("{\"mailboxes\":%zu,\"looks\":%llu,\"failures\":%llu}\n", mailboxes_.size(),
                static_cast<unsigned long long>(looks), static_cast<unsigned long long>(failures));
    std::fflush(stdout);
    context_.stop();
  }

 private:
  void wake(const std::string& address) {
    net::asio::co_spawn(context_, by_address_.find(address)->second->run(), net::asio::detached);
  }

  net::asio::awaitable<void> open(bool tls, std::size_t count) {
    std::vector<std::pair<store::MailboxId, std::string>> rows;
    auto made = shared_.store.write<void>([&](store::Transaction& transaction) -> Result<void> {
      for (std::size_t i = 0; i < count; ++i) {
        const std::string user = "user" + std::to_string(mailboxes_.size() + i) + "@" + shared_.place.domain;
        auto row = store::put_mailbox(transaction, {.address = user, .json = "{}", .state = "{}"});
        if (!row) return fail(std::move(row.error()));
        rows.emplace_back(*row, user);
      }
      return {};
    });
    if (!made) {
      std::fprintf(stderr, "%s\n", made.error().describe().c_str());
      std::exit(1);
    }
    for (auto& [id, user] : rows) {
      mailboxes_.push_back(std::make_unique<Mailbox>(shared_, mailboxes_.size(), tls, id, user));
      by_address_.emplace(user, mailboxes_.back().get());
      wake(user);
      while (mailboxes_.size() - shared_.looked_at_once >= most_at_once) co_await settled();
    }
    while (shared_.looked_at_once < mailboxes_.size()) co_await settled();
    std::printf("{\"opened\":%zu}\n", count);
    std::fflush(stdout);
  }

  net::asio::awaitable<void> settled() { static_cast<void>(co_await shared_.settled.wait()); }

  void measure() {
    // What was given back counts as such: the question is what idle connections hold.
    ::malloc_trim(0);
    const struct mallinfo2 heap = ::mallinfo2();
    std::ifstream statm("/proc/self/statm");
    long pages = 0;
    long resident = 0;
    statm >> pages >> resident;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    std::printf("{\"heap\":%zu,\"resident\":%ld,\"cpuSeconds\":%.3f}\n", heap.uordblks + heap.hblkhd,
                resident * ::sysconf(_SC_PAGESIZE), seconds(usage.ru_utime) + seconds(usage.ru_stime));
    std::fflush(stdout);
  }

  net::asio::io_context& context_;
  Mailbox::Shared& shared_;
  service::IdleWatch watch_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
  std::map<std::string, Mailbox*> by_address_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr,
                 "usage: idle_mailboxes HOST PORT TLS-PORT CA-FILE DOMAIN FOLDER < PASSWORD-AND-COMMANDS\n");
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  Place place{.host = argv[1],
              .port = static_cast<std::uint16_t>(std::atoi(argv[2])),
              .tls_port = static_cast<std::uint16_t>(std::atoi(argv[3])),
              .ca_file = argv[4],
              .domain = argv[5],
              .password = {}};
  // Octet by octet: what follows is read by the loop.
  for (char c = '\0'; ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) place.password += c;

  net::asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) {
    std::fprintf(stderr, "%s\n", system.error().describe().c_str());
    return 1;
  }
  net::Environment& environment = (*system)->get();
  auto store = store::Store::open(argv[6], environment.clock, environment.random, {.create = true});
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().describe().c_str());
    return 1;
  }
  auto content = store::ContentStore::open(**store);
  if (!content) {
    std::fprintf(stderr, "%s\n", content.error().describe().c_str());
    return 1;
  }
  const sync::Surroundings surroundings{
      .clock = environment.clock, .random = environment.random, .sleep = [&](std::chrono::milliseconds span) {
        return environment.timers.sleep_until(environment.clock.steady_now() + span);
      }};
  net::Event settled(environment.executor);
  Mailbox::Shared shared{.environment = environment,
                         .store = **store,
                         .content = *content,
                         .surroundings = surroundings,
                         .place = place,
                         .blocking = std::make_shared<auth::BlockingPool>(1),
                         .settled = settled};
  Idle idle(context, shared);
  net::asio::co_spawn(context, idle.serve(), net::asio::detached);
  context.run();
  // What still waits goes with the process.
  std::fflush(stdout);
  std::_Exit(0);
}
