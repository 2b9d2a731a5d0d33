// SPDX-License-Identifier: GPL-3.0-or-later
// A synchronisation with a mail host as a whole process: the heart, the drivers and the store, over real
// sockets, for beside_mbsync.py and beside_mail_peers.py. The password comes on standard input.
//   bench_mail_sync pull  PORT CA-FILE USER FOLDER                    the mailbox by IMAP into FOLDER's store
//   bench_mail_sync plain PORT CA-FILE USER FOLDER                    the same without TLS
//   bench_mail_sync mime  PORT CA-FILE USER FOLDER                    with the octets as received
//   bench_mail_sync send  PORT CA-FILE USER FOLDER TO COUNT OCTETS    COUNT records go out by SMTP
// A store that is there goes on where it stands. Prints one line of JSON: messages, seconds, CPU seconds
// (from the opening of the store on, and of the whole process), peak memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "auth/blocking_pool.hpp"
#include "auth/sasl.hpp"
#include "base/text.hpp"
#include "net/system_environment.hpp"
#include "routing/imap/driver/imap_driver.hpp"
#include "routing/smtp/driver/mime_composer.hpp"
#include "routing/smtp/driver/send_only_driver.hpp"
#include "store/configuration.hpp"
#include "store/records.hpp"
#include "sync/mailbox_run.hpp"
#include "tests/bench/process_cost.hpp"

namespace {

using namespace syncline;

struct Task {
  std::string_view what;
  mail::Endpoint endpoint = {};
  std::string user;
  std::string password;
  std::string folder;
  std::string to;
  int messages = 0;
  std::size_t octets = 0;
};

struct Done {
  std::uint64_t messages = 0;
  std::uint64_t waiting = 0;
};

auth::SaslIdentity identity_of(const Task& task) {
  auth::SaslIdentity identity;
  identity.user = task.user;
  identity.password = Secret(std::string_view(task.password));
  return identity;
}

auth::SaslPolicy policy_of(const Task& task) {
  auth::SaslPolicy policy;
  policy.allowed = {"PLAIN"};
  policy.clear_text_without_tls = task.what == "plain";
  return policy;
}

Result<store::MailboxId> mailbox_of(store::Store& store, const std::string& address) {
  return store.write<store::MailboxId>([&](store::Transaction& transaction) -> Result<store::MailboxId> {
    auto known = store::find_mailbox(transaction, address);
    if (!known) return fail(std::move(known.error()));
    if (*known) return (*known)->id;
    return store::put_mailbox(transaction, {.address = address, .json = "{}", .state = "{}"});
  });
}

/// Records that are to be sent.
Result<void> add_letters(store::Store& store, const Task& task) {
  const std::string line = "The quick brown fox jumps over the lazy dog, and writes home of it.\r\n";
  std::string text;
  while (text.size() < task.octets) text += line;
  return store.write<void>([&](store::Transaction& transaction) -> Result<void> {
    for (int i = 0; i < task.messages; ++i) {
      model::Fields fields{{"direction", "outgoing"},
                           {"statusCode", "pendingSend"},
                           {"subject", "Letter " + std::to_string(i)},
                           {"body", {{"type", "text"}, {"value", text}}},
                           {"toRecipients", {{{"emailAddress", task.to}}}}};
      auto added = store::insert_record(
          transaction, {.kind = model::RecordKind::email, .owner = task.user, .fields = std::move(fields)});
      if (!added) return fail(std::move(added.error()));
    }
    return {};
  });
}

net::Async<Done> synchronise(net::Environment& environment, const Task& task) {
  auto opened = store::Store::open(task.folder, environment.clock, environment.random, {.create = true});
  if (!opened) co_return fail(std::move(opened.error()));
  auto content = store::ContentStore::open(**opened);
  if (!content) co_return fail(std::move(content.error()));
  auto mailbox = mailbox_of(**opened, task.user);
  if (!mailbox) co_return fail(std::move(mailbox.error()));
  const bool sends = task.what == "send";
  if (sends)
    if (auto added = add_letters(**opened, task); !added) co_return fail(std::move(added.error()));

  sync::MailboxSettings settings;
  settings.mailbox = *mailbox;
  settings.address = settings.owner = task.user;
  settings.mail_in = !sends;
  settings.mail_out = sends;
  settings.policies.mail.track = model::MailFilter::all;
  settings.policies.mail.track_sent = false;
  settings.policies.mail.keep_mime = task.what == "mime";
  settings.policies.mail.message_limit_octets = std::uint64_t{1} << 30;
  settings.policies.mail.send_per_minute = 1'000'000;
  settings.organisation_name = "benchmark";
  auth::BlockingPool disk(1);
  const sync::Surroundings surroundings{
      .clock = environment.clock,
      .random = environment.random,
      .sleep =
          [&](std::chrono::milliseconds span) {
            return environment.timers.sleep_until(environment.clock.steady_now() + span);
          },
      .aside = [&](std::function<Result<void>()> work) { return disk.run_to_its_end(std::move(work)); }};
  const auto blocking = std::make_shared<auth::BlockingPool>(1);

  smtp::SenderSettings sending;
  sending.session.endpoint = task.endpoint;
  sending.address = task.user;
  const mail::ChooseSasl choose = [&](const auth::SaslOffer& offer) {
    return auth::choose_sasl(offer, identity_of(task), policy_of(task), blocking);
  };
  smtp::Sender sender(environment, std::move(sending), choose, smtp::mime_composer({.address = task.user}),
                      {.copies = smtp::SentCopies::none});
  smtp::SendOnlyDriver send_only(sender);

  imap::DriverSettings reading;
  reading.endpoint = task.endpoint;
  reading.keep_as_received = settings.policies.mail.keep_mime;
  reading.connect.sign_in = {.identity = identity_of(task), .policy = policy_of(task), .blocking = blocking};
  reading.reading_thread = std::make_shared<auth::BlockingPool>(1);
  imap::ImapDriver imap(environment, std::move(reading));

  sync::Driver& driver = sends ? static_cast<sync::Driver&>(send_only) : imap;
  sync::RunOptions options;
  auto summary = co_await sync::run_mailbox(surroundings, **opened, *content, driver, settings, options);
  if (!summary) co_return fail(std::move(summary.error()));
  static_cast<void>(co_await sender.close());
  static_cast<void>(co_await imap.close());
  const sync::KindCounts& counts = summary->of(model::RecordKind::email);
  co_return Done{.messages = sends ? counts.went : counts.came, .waiting = summary->waiting};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const bool reads = what == "pull" || what == "plain" || what == "mime";
  if (!(reads && argc == 6) && !(what == "send" && argc == 9)) {
    std::fprintf(stderr,
                 "usage: bench_mail_sync pull|plain|mime PORT CA-FILE USER FOLDER < PASSWORD\n"
                 "       bench_mail_sync send PORT CA-FILE USER FOLDER TO COUNT OCTETS < PASSWORD\n");
    return 2;
  }
  Task task{.what = what, .user = argv[4], .password = {}, .folder = argv[5], .to = {}};
  task.endpoint = {.host = "localhost",
                   .port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)),
                   .tls = what == "plain" ? mail::TlsMode::none : mail::TlsMode::implicit};
  task.endpoint.policy.ca_file = argv[3];
  if (what == "send") {
    task.to = argv[6];
    task.messages = std::atoi(argv[7]);
    task.octets = std::strtoul(argv[8], nullptr, 10);
  }
  std::getline(std::cin, task.password);

  const auto began = std::chrono::steady_clock::now();
  const double cpu_before = bench::cpu_seconds();
  net::asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) {
    std::fprintf(stderr, "%s\n", system.error().describe().c_str());
    return 1;
  }
  net::Environment& environment = (*system)->get();
  std::optional<Result<Done>> outcome;
  net::asio::co_spawn(context, synchronise(environment, task),
                      [&](const std::exception_ptr& problem, Result<Done> done) {
                        if (problem) std::rethrow_exception(problem);
                        outcome = std::move(done);
                        context.stop();
                      });
  context.run();
  if (!outcome || !*outcome) {
    const std::string said = outcome ? outcome->error().describe() : "nothing came of it";
    std::fprintf(stderr, "%s\n", text::escape_for_display(said).c_str());
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf(R"({"messages":%llu,"waiting":%llu,"seconds":%.3f,"cpuSeconds":%.3f,"processCpuSeconds":%.3f,)"
              R"("peakKilobytes":%ld})"
              "\n",
              static_cast<unsigned long long>((*outcome)->messages),
              static_cast<unsigned long long>((*outcome)->waiting), took.count(),
              bench::cpu_seconds() - cpu_before, bench::cpu_seconds(), bench::peak_kilobytes());
  return 0;
}
