// SPDX-License-Identifier: GPL-3.0-or-later
// A synchronisation as a whole process: the heart, the driver, the client and the store, over real sockets.
// Synchronises one mailbox once and prints what that cost as a JSON line.
//   bench_sync URL USER FOLDER WORKLOAD    the password comes on standard input; FOLDER: of the store
// Workloads: metadata (every mail tracked, no octets kept), mime (received octets to the content store).
// A store that is there goes on where it stands.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "auth/basic.hpp"
#include "base/text.hpp"
#include "ews/driver/ews_driver.hpp"
#include "net/system_environment.hpp"
#include "store/configuration.hpp"
#include "sync/mailbox_run.hpp"
#include "tests/bench/process_cost.hpp"

namespace {

using namespace syncline;

/// The mailbox's row, made if there is none.
Result<store::MailboxId> mailbox_of(store::Store& store, const std::string& address) {
  return store.write<store::MailboxId>([&](store::Transaction& transaction) -> Result<store::MailboxId> {
    auto known = store::find_mailbox(transaction, address);
    if (!known) return fail(std::move(known.error()));
    if (*known) return (*known)->id;
    return store::put_mailbox(transaction, {.address = address, .json = "{}", .state = "{}"});
  });
}

int report_failure(const Error& error) {
  std::fprintf(stderr, "%s\n", text::escape_for_display(error.describe()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_sync URL USER FOLDER metadata|mime < PASSWORD\n");
    return 2;
  }
  const std::string user = argv[2];
  const std::string folder = argv[3];
  const bool keep_mime = std::string_view(argv[4]) == "mime";
  std::string password;
  std::getline(std::cin, password);

  net::asio::io_context context;
  const auto system = net::system_environment(context.get_executor()).value();
  net::Environment& environment = system->get();
  const auto http = net::make_http_client(environment).value();
  ews::ClientSettings client_settings;
  client_settings.url = net::parse_url(argv[1]).value();
  client_settings.authenticator =
      auth::make_basic({.user = user, .password = Secret(std::move(password))}, true).value();
  ews::EwsClient client(environment, *http, std::make_shared<ews::CredentialBudgets>(environment),
                        client_settings);
  ews::EwsDriver driver(client, {.mailbox = user});

  auto opened = store::Store::open(folder, environment.clock, environment.random, {.create = true});
  if (!opened) return report_failure(opened.error());
  auto content = store::ContentStore::open(**opened);
  if (!content) return report_failure(content.error());
  auto mailbox = mailbox_of(**opened, user);
  if (!mailbox) return report_failure(mailbox.error());

  sync::MailboxSettings settings;
  settings.mailbox = *mailbox;
  settings.address = settings.owner = user;
  settings.mail_in = settings.mail_out = settings.appointments_contacts_tasks = true;
  // Those that the benchmark of many folders makes.
  for (int i = 0; i < 25; ++i) settings.tracked_folders.push_back("Folder " + std::to_string(i));
  settings.policies.mail.track = model::MailFilter::all;
  settings.policies.mail.keep_mime = keep_mime;
  settings.organisation_name = "benchmark";
  const sync::Surroundings surroundings{
      .clock = environment.clock, .random = environment.random, .sleep = [&](std::chrono::milliseconds span) {
        return environment.timers.sleep_until(environment.clock.steady_now() + span);
      }};

  const double before = bench::cpu_seconds();
  std::optional<Result<sync::MailboxSummary>> done;
  boost::asio::co_spawn(
      context, sync::run_mailbox(surroundings, **opened, *content, driver, settings, sync::RunOptions{}),
      [&](std::exception_ptr problem, Result<sync::MailboxSummary> result) {
        if (problem) std::rethrow_exception(problem);
        done = std::move(result);
        context.stop();
      });
  context.run();
  if (!*done) return report_failure(done->error());
  std::uint64_t came = 0;
  for (const sync::KindCounts& kind : (*done)->kinds) came += kind.came;
  std::printf(R"({"items":%llu,"pages":%llu,"requests":%llu,"cpuSeconds":%.3f,"peakKilobytes":%ld})"
              "\n",
              static_cast<unsigned long long>(came), static_cast<unsigned long long>((*done)->pages),
              static_cast<unsigned long long>((*done)->requests), bench::cpu_seconds() - before,
              bench::peak_kilobytes());
  return 0;
}
