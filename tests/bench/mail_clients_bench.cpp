// SPDX-License-Identifier: GPL-3.0-or-later
// Our POP3 and SMTP clients as whole processes, for beside_mail_peers.py. The password comes on standard
// input.
//   bench_mail_clients pop3 PORT CA-FILE USER FOLDER          every message into a file of its own
//   bench_mail_clients smtp PORT CA-FILE USER FOLDER TO       every file of the folder to one recipient
//   bench_mail_clients relay PORT CA-FILE USER FOLDER TO      the same without TLS and login
// Prints one line of JSON: messages, octets, seconds, CPU seconds, peak memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "auth/blocking_pool.hpp"
#include "auth/sasl.hpp"
#include "net/system_environment.hpp"
#include "routing/pop3/session.hpp"
#include "routing/smtp/session.hpp"
#include "tests/bench/process_cost.hpp"

namespace {

using namespace syncline;
namespace fs = std::filesystem;

struct Task {
  mail::Endpoint endpoint = {};
  std::string user = {};
  std::string password = {};
  fs::path folder = {};
  std::string to = {};
};

struct Done {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
};

Result<std::unique_ptr<auth::SaslExchange>> plain(const auth::SaslOffer& offer, const Task& task) {
  static const auto pool = std::make_shared<auth::BlockingPool>(1);
  auth::SaslIdentity identity;
  identity.user = task.user;
  identity.password = Secret(std::string_view(task.password));
  auth::SaslPolicy policy;
  policy.allowed = {"PLAIN"};
  return auth::choose_sasl(offer, identity, policy, pool);
}

class Files final : public pop3::MessageReceiver {
 public:
  explicit Files(fs::path folder) : folder_(std::move(folder)) {}
  Result<void> begin(std::size_t index) override {
    file_.reset(std::fopen((folder_ / std::to_string(index)).c_str(), "wb"));
    return file_ == nullptr ? fail(ErrorDomain::local, "cannot-open", "cannot write") : Result<void>{};
  }
  Result<void> write(std::string_view octets) override {
    done.octets += octets.size();
    return std::fwrite(octets.data(), 1, octets.size(), file_.get()) == octets.size()
               ? Result<void>{}
               : fail(ErrorDomain::local, "cannot-write", "cannot write");
  }
  Result<void> end(std::size_t, Result<void> outcome) override {
    file_.reset();
    ++done.messages;
    return outcome;
  }
  Done done;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  fs::path folder_;
  std::unique_ptr<std::FILE, Close> file_;
};

net::Async<Done> fetch(net::Environment& environment, Task task) {
  pop3::SessionSettings settings;
  settings.endpoint = task.endpoint;
  pop3::Login login;
  login.user = task.user;
  login.sasl = [&task](const auth::SaslOffer& offer, const std::string&) { return plain(offer, task); };
  auto session = co_await pop3::Session::open(environment, settings, login);
  if (!session) co_return fail(std::move(session.error()));
  auto listed = co_await (*session)->list();
  if (!listed) co_return fail(std::move(listed.error()));
  std::vector<pop3::Session::Wanted> wanted;
  for (const pop3::ListedSize& one : *listed) wanted.push_back({one.number, one.octets});
  Files files(task.folder);
  auto fetched = co_await (*session)->fetch(wanted, false, std::uint64_t{1} << 30, files);
  if (!fetched) co_return fail(std::move(fetched.error()));
  static_cast<void>(co_await (*session)->quit());
  co_return files.done;
}

net::Async<Done> send(net::Environment& environment, Task task) {
  smtp::SessionSettings settings;
  settings.endpoint = task.endpoint;
  mail::ChooseSasl choose;
  if (task.endpoint.tls != mail::TlsMode::none)
    choose = [&task](const auth::SaslOffer& offer) { return plain(offer, task); };
  auto session = co_await smtp::Session::open(environment, settings, choose);
  if (!session) co_return fail(std::move(session.error()));
  Done done;
  const smtp::Envelope envelope{.sender = task.user, .recipients = {task.to}, .eight_bit = true};
  const smtp::BeforeCommit nothing;
  for (const fs::directory_entry& entry : fs::directory_iterator(task.folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string octets{std::istreambuf_iterator<char>(file), {}};
    done.octets += octets.size();
    net::StringSource source(std::move(octets));
    auto delivery = co_await (*session)->send(envelope, source, nothing);
    if (!delivery) co_return fail(std::move(delivery.error()));
    if (delivery->state != smtp::Delivery::State::accepted) co_return fail(std::move(delivery->error));
    ++done.messages;
  }
  static_cast<void>(co_await (*session)->quit());
  co_return done;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const bool sends = what == "smtp" || what == "relay";
  if ((what != "pop3" || argc != 6) && (!sends || argc != 7)) {
    std::fprintf(stderr, "usage: bench_mail_clients pop3|smtp|relay PORT CA-FILE USER FOLDER [TO]\n");
    return 2;
  }
  Task task{.user = argv[4], .folder = argv[5], .to = argc > 6 ? argv[6] : ""};
  task.endpoint = {.host = "localhost",
                   .port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)),
                   .tls = what == "relay" ? mail::TlsMode::none : mail::TlsMode::implicit};
  task.endpoint.policy.ca_file = argv[3];
  std::getline(std::cin, task.password);

  const auto began = std::chrono::steady_clock::now();
  net::asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) {
    std::fprintf(stderr, "%s\n", system.error().describe().c_str());
    return 1;
  }
  std::optional<Result<Done>> outcome;
  const auto capture = [&](net::Async<Done> inner) -> net::asio::awaitable<void> {
    outcome.emplace(co_await std::move(inner));
    context.stop();
  };
  net::Environment& environment = (*system)->get();
  auto work = what == "pop3" ? fetch(environment, task) : send(environment, task);
  net::asio::co_spawn(context, capture(std::move(work)), net::asio::detached);
  context.run();
  if (!outcome || !*outcome) {
    std::fprintf(stderr, "%s\n", outcome ? outcome->error().describe().c_str() : "nothing came of it");
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf(
      "{\"messages\":%llu,\"octets\":%llu,\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"peakKilobytes\":%ld}\n",
      static_cast<unsigned long long>((*outcome)->messages),
      static_cast<unsigned long long>((*outcome)->octets), took.count(), bench::cpu_seconds(),
      bench::peak_kilobytes());
  return 0;
}
