// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail_engine_world.hpp"

#include <boost/json/array.hpp>
#include <sstream>

#include "net/http_client.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::service::testing {
namespace {

namespace fs = std::filesystem;

/// The virtual world in the place of the machine.
class VirtualSystem final : public net::SystemEnvironment {
 public:
  explicit VirtualSystem(net::Environment& environment) : environment_(environment) {}
  net::Environment& get() noexcept override { return environment_; }

 private:
  net::Environment& environment_;
};

}  // namespace

MailEngine::MailEngine()
    : folder_(fs::path(::testing::TempDir()) / ("mail-engine-" + system_random().uuid())) {
  fs::create_directories(folder_);
  imap_.folders["INBOX"];
  imap_.folders["Sent"].attributes = "\\Sent";
  listen();
}

void MailEngine::listen() {
  imap_.listen(world_, imap_port, true);
  smtp_.listen(world_, smtp_port, true);
}

MailEngine::~MailEngine() {
  if (engine_) static_cast<void>(world_.run(engine_->stop()));
  of_tests_.reset();
  engine_.reset();
  mailboxes_.clear();
  organisation_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void MailEngine::start(int count, const std::string& more, WatchSettings settings) {
  OrganisationOptions options;
  options.folder = (folder_ / "contoso").string();
  options.key = (folder_ / "key").string();
  auto created =
      Organisation::create(options, "Contoso", world_.environment().clock, world_.environment().random);
  ASSERT_TRUE(created) << created.error().describe();
  organisation_ = std::move(created->organisation);
  std::string text =
      "[policy.mail]\ntrack = \"all\"\n[[profile]]\nname = \"Host\"\ntype = \"imap_smtp\"\n"
      "in_host = \"imap.example.test\"\nin_port = 993\nin_tls = \"implicit\"\n"
      "out_host = \"mail.example.test\"\nout_port = 465\nout_tls = \"implicit\"\n" +
      more;
  if (more.find("auth_in") == std::string::npos) text += "auth_in = \"mailbox_credentials\"\n";
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(box(i));
    text += "[[mailbox]]\naddress = \"" + box(i) + "\"\nprofile = \"Host\"\nact = \"none\"\n";
  }
  std::istringstream input(text);
  auto wanted = read_apply_file(input);
  ASSERT_TRUE(wanted);
  auto outcome = apply(*organisation_, *wanted, false, {"test"});
  ASSERT_TRUE(outcome) << outcome.error().describe();
  for (const ApplyRefusal& refusal : outcome->refusals) ADD_FAILURE() << refusal.message;
  ASSERT_TRUE(outcome->applied);
  EXPECT_TRUE(organisation_->secrets().put("profile/Host/password", Secret(std::string_view("secret"))));
  for (const std::string& address : all)
    EXPECT_TRUE(
        organisation_->secrets().put("mailbox/" + address + "/password", Secret(std::string_view("secret"))));
  for (const MailboxAct act : {MailboxAct::approve, MailboxAct::enable}) {
    auto done = administer(*organisation_, act, all, {"test"});
    ASSERT_TRUE(done) << done.error().describe();
    for (const auto& one : *done) ASSERT_FALSE(one.obstacle) << one.obstacle->message;
  }
  auto connections =
      std::make_shared<Connections>(world_.executor(), [this](const model::Profile&) { return network(); });
  WatchEvents events{
      .changed = [this](const std::string& address) { changed_.push_back(address); },
      .watched =
          [this](const std::string& address, std::optional<std::chrono::milliseconds> look_anyway) {
            watched_.erase(address);
            if (look_anyway) watched_.emplace(address, *look_anyway);
          }};
  engine_ = std::make_unique<MailboxEngine>(world_.environment(), *organisation_, std::move(connections),
                                            std::move(events), settings);
  auto begun = engine_->begin();
  ASSERT_TRUE(begun) << begun.error().describe();
  auto ready = enabled_mailboxes(*organisation_);
  ASSERT_TRUE(ready) << ready.error().describe();
  for (EnabledMailbox& mailbox : ready->ready)
    mailboxes_.push_back(std::make_shared<const EnabledMailbox>(std::move(mailbox)));
  ASSERT_EQ(mailboxes_.size(), static_cast<std::size_t>(count));
  engine_->configured(mailboxes_);
}

Result<std::unique_ptr<Connections::Network>> MailEngine::network() {
  auto made = std::make_unique<Connections::Network>();
  made->system = std::make_unique<VirtualSystem>(world_.environment());
  auto http = net::make_http_client(world_.environment(), net::HttpClientSettings{});
  if (!http) return fail(std::move(http.error()));
  made->http = std::move(*http);
  return made;
}

std::shared_ptr<const EnabledMailbox> MailEngine::enabled(const std::string& address) const {
  for (const auto& mailbox : mailboxes_)
    if (mailbox->address() == address) return mailbox;
  ADD_FAILURE() << address << " is not enabled";
  return nullptr;
}

Async<void> MailEngine::one_run(std::string address, std::optional<std::string>& code) {
  MailboxOutcome outcome{.address = address, .summary = sync::MailboxSummary{}};
  RunWishes wishes{.settle = false};
  const std::shared_ptr<const EnabledMailbox> mailbox = enabled(address);
  auto ran = co_await engine_->run(*mailbox, std::move(wishes), outcome);
  if (!ran) co_return fail(std::move(ran.error()));
  code = outcome.summary ? std::string() : outcome.summary.error().code;
  co_return Result<void>{};
}

std::string MailEngine::run(const std::string& address) {
  std::optional<std::string> code;
  auto ran = world_.run(one_run(address, code));
  EXPECT_TRUE(ran) << ran.error().describe();
  return code.value_or("did not end");
}

net::asio::awaitable<void> MailEngine::noted_run(std::string address, std::optional<std::string>& code) {
  const Result<void> ran = co_await one_run(address, code);
  EXPECT_TRUE(ran) << ran.error().describe();
}

Async<std::unique_ptr<MailboxConnection>> MailEngine::connect_for_test(std::string address) {
  if (!of_tests_) of_tests_ = engine_->connections()->successor();
  auto stored = organisation_->load();
  if (!stored) co_return fail(std::move(stored.error()));
  auto admitted = MailboxGate(*stored, organisation_->today()).admit_for_test(address);
  if (!admitted) co_return fail(ErrorDomain::input, "not-admitted", admitted.error().message);
  co_return co_await connect_mailbox(*organisation_, *of_tests_, *admitted);
}

Async<sync::Applied> MailEngine::send(MailboxConnection& connection, std::string operation_id) {
  sync::WriteOrder order{.what = sync::WriteOrder::What::send, .operation_id = std::move(operation_id)};
  order.fields["subject"] = "Hello";
  order.fields["body"] = boost::json::object{{"type", "text"}, {"value", "hello"}};
  order.fields["toRecipients"] = boost::json::array{boost::json::object{{"emailAddress", box(0)}}};
  syncline::testing::MemoryProgress progress;
  const sync::OpenContent none;
  co_return co_await connection.driver().apply(order, progress, none);
}

std::string MailEngine::message(int number) {
  const std::string n = std::to_string(number);
  return "From: bo@partner.example\r\nTo: box0@example.test\r\nSubject: mail " + n + "\r\nMessage-ID: <m" +
         n + "@partner.example>\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n\r\nhello\r\n";
}

}  // namespace syncline::service::testing
