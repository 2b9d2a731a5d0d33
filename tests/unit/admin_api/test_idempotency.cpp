// SPDX-License-Identifier: GPL-3.0-or-later
// Requests through the whole of the API's server, without a network: a killed process between what was done
// and its answer is a commit that says it failed.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <filesystem>

#include "admin/api/api_server.hpp"
#include "net/testing/virtual_world.hpp"
#include "service/organisation/api_tokens.hpp"
#include "store/records.hpp"

namespace syncline::admin::api {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// What a handler answered.
class Recorder final : public net::Responder {
 public:
  int status = 0;
  net::Headers headers;
  std::string body;
  net::Async<void> respond(int code, net::Headers fields, std::string text, bool) override {
    status = code;
    headers = std::move(fields);
    body = std::move(text);
    co_return Result<void>{};
  }
  net::Async<void> begin(int code, net::Headers fields) override {
    status = code;
    headers = std::move(fields);
    co_return Result<void>{};
  }
  net::Async<void> write(std::string_view octets) override {
    body += octets;
    co_return Result<void>{};
  }
  net::Async<void> finish() override { co_return Result<void>{}; }
  void cut_after(std::uint64_t) override {}
  void claim_length(std::uint64_t) override {}
  void abort() noexcept override {}
  std::any& connection_state() noexcept override { return state_; }

 private:
  std::any state_;
};

/// The process is killed right after the next commit: it is on the disk, and nobody hears of it.
class KilledAfterCommit final : public store::DurableWrites {
 public:
  bool is_armed = false;
  Result<void> before(std::string_view) override { return {}; }
  Result<void> after(std::string_view what) override {
    if (!is_armed || what != "commit") return {};
    is_armed = false;
    return fail(ErrorDomain::local, "killed", "The process was killed");
  }
};

class ApiServerTest : public testing::Test {
 protected:
  void SetUp() override {
    service::OrganisationOptions options;
    options.folder = (folder / "contoso").string();
    options.key = (folder / "key").string();
    options.durable_writes = &writes;
    fs::create_directories(folder);
    auto created =
        service::Organisation::create(options, "Contoso", world.environment().clock, system_random());
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
    server =
        std::make_unique<ApiServer>(world.environment(), *organisation, Control{}, ApiSettings{.threads = 0});
    token = make_token(store::ApiRole::application);
  }
  void TearDown() override {
    server.reset();
    organisation.reset();
    fs::remove_all(folder);
  }

  std::string make_token(store::ApiRole role, std::optional<SystemTime> expires = std::nullopt) {
    auto made = organisation->store().write<service::MadeApiToken>([&](store::Transaction& transaction) {
      service::NewApiToken wanted{.name = "test", .role = role, .expires_at = expires};
      if (role == store::ApiRole::mailbox_owner) wanted.owner = "ana@contoso.example";
      return service::create_api_token(transaction, system_random(), wanted, organisation->clock().now(),
                                       {"test"});
    });
    EXPECT_TRUE(made) << made.error().describe();
    return std::string(made->secret.reveal());
  }

  Recorder ask(const std::string& method, const std::string& target, std::string body = {},
               std::vector<std::pair<std::string, std::string>> fields = {}) {
    net::ServerRequest request{
        .method = method, .target = target, .body = std::move(body), .peer = "127.0.0.1:1"};
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    request.headers.set("Content-Type", "application/json");
    for (const auto& [name, value] : fields) request.headers.set(name, value);
    Recorder recorder;
    auto talk = [&]() -> net::Async<void> {
      co_await server->handle(request, recorder);
      co_return Result<void>{};
    };
    auto done = world.run(talk());
    EXPECT_TRUE(done);
    return recorder;
  }
  static std::string code_of(const Recorder& answer) {
    return std::string(json::parse(answer.body).at("code").get_string());
  }
  std::int64_t contacts() {
    auto count = organisation->store().read<std::int64_t>([](store::Transaction& transaction) {
      return store::count_records(transaction, model::RecordKind::contact);
    });
    return count.value_or(-1);
  }

  net::testing::VirtualWorld world;
  fs::path folder = fs::temp_directory_path() / ("syncline-api-" + system_random().uuid());
  KilledAfterCommit writes;
  std::unique_ptr<service::Organisation> organisation;
  std::unique_ptr<ApiServer> server;
  std::string token;
};

constexpr const char* contact =
    R"({"kind":"contact","owner":"ana@contoso.example","fields":{"givenName":"Bo"}})";

TEST_F(ApiServerTest, ARequestThatComesAgainGetsTheFirstAnswerAndIsNotDoneAgain) {
  const auto first = ask("POST", "/api/v1/records", contact, {{"Idempotency-Key", "one"}});
  ASSERT_EQ(first.status, 201) << first.body;
  const auto again = ask("POST", "/api/v1/records", contact, {{"Idempotency-Key", "one"}});
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.find("ETag"), first.headers.find("ETag"));
  EXPECT_EQ(again.headers.find("Idempotency-Replayed"), "true");
  EXPECT_EQ(contacts(), 1);
  const auto other = ask("POST", "/api/v1/records", R"({"kind":"contact"})", {{"Idempotency-Key", "one"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(code_of(other), "idempotency-key-reused");
  EXPECT_EQ(ask("POST", "/api/v1/records", contact, {{"Idempotency-Key", "two"}}).status, 201);
  token = make_token(store::ApiRole::application);
  EXPECT_EQ(ask("POST", "/api/v1/records", contact, {{"Idempotency-Key", "one"}}).status, 201);
  EXPECT_EQ(contacts(), 3) << "keys are each token's own";
}

TEST_F(ApiServerTest, AnAnswerThatWasLostWithTheProcessIsThereWhenTheRequestComesAgain) {
  ask("GET", "/api/v1/records");  // notes when the token was used
  writes.is_armed = true;
  const auto lost = ask("POST", "/api/v1/records", contact, {{"Idempotency-Key", "one"}});
  EXPECT_EQ(lost.status, 500);
  EXPECT_EQ(contacts(), 1);
  const auto again = ask("POST", "/api/v1/records", contact, {{"Idempotency-Key", "one"}});
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(contacts(), 1);
}

TEST_F(ApiServerTest, ASecretIsInNoAnswerThatIsKept) {
  token = make_token(store::ApiRole::system_administrator);
  const std::string wanted = R"({"name":"ci","role":"read-only"})";
  const auto plain = ask("POST", "/api/v1/tokens", wanted);
  EXPECT_EQ(plain.status, 403);
  EXPECT_EQ(code_of(plain), "insecure-channel");
  auto changed = ask("PATCH", "/api/v1/organisation", R"({"settings":{"allow_insecure_creds":"1"}})",
                     {{"If-Match", "*"}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  const auto first = ask("POST", "/api/v1/tokens", wanted, {{"Idempotency-Key", "t"}});
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_TRUE(json::parse(first.body).at("token").is_string());
  const auto again = ask("POST", "/api/v1/tokens", wanted, {{"Idempotency-Key", "t"}});
  EXPECT_TRUE(json::parse(again.body).at("token").is_null());
  EXPECT_EQ(json::parse(again.body).at("id"), json::parse(first.body).at("id"));
}

TEST_F(ApiServerTest, WhoHasNoGoodTokenIsToldSoAndThenSlowedDown) {
  token.clear();
  auto answer = ask("GET", "/api/v1/records");
  EXPECT_EQ(answer.status, 401);
  EXPECT_TRUE(answer.headers.find("WWW-Authenticate"));
  token = "syncline_" + std::string(43, 'A');
  EXPECT_EQ(ask("GET", "/api/v1/records").status, 401);
  for (int i = 0; i < 120; ++i) answer = ask("GET", "/api/v1/records");
  EXPECT_EQ(answer.status, 429);
  EXPECT_TRUE(answer.headers.find("Retry-After"));
  token = make_token(store::ApiRole::application);
  EXPECT_EQ(ask("GET", "/api/v1/records").status, 200) << "a good token from the same address is let in";
}

TEST_F(ApiServerTest, ATokenEndsWhenItExpiresOrIsRevoked) {
  token = make_token(store::ApiRole::application, organisation->clock().now() + std::chrono::hours(1));
  EXPECT_EQ(ask("GET", "/api/v1/records").status, 200);
  auto later = [&]() -> net::Async<void> { co_return co_await world.sleep(std::chrono::hours(2)); };
  ASSERT_TRUE(world.run(later()));
  EXPECT_EQ(ask("GET", "/api/v1/records").status, 401);
  token = make_token(store::ApiRole::application);
  auto revoked = organisation->store().write<store::ApiToken>(
      [&](store::Transaction& transaction) { return service::revoke_api_token(transaction, 3, {"test"}); });
  ASSERT_TRUE(revoked);
  EXPECT_EQ(ask("GET", "/api/v1/records").status, 401);
}

TEST_F(ApiServerTest, ALongPollWaitsForAChangeAndEndsWithoutOne) {
  const auto began = world.environment().clock.steady_now();
  const auto empty = ask("GET", "/api/v1/changes?after=now&wait=30");
  ASSERT_EQ(empty.status, 200) << empty.body;
  EXPECT_GE(world.environment().clock.steady_now() - began, std::chrono::seconds(30));
  EXPECT_TRUE(json::parse(empty.body).at("changes").get_array().empty());
  const std::string next(json::parse(empty.body).at("next").get_string());
  auto write = [&]() -> net::asio::awaitable<void> {
    static_cast<void>(co_await world.sleep(std::chrono::seconds(5)));
    auto added = organisation->store().write<model::Record>([](store::Transaction& transaction) {
      return store::insert_record(transaction,
                                  model::Record{.kind = model::RecordKind::task, .owner = "a@x"});
    });
    EXPECT_TRUE(added);
  };
  world.spawn(write());
  const auto before = world.environment().clock.steady_now();
  const auto found = ask("GET", "/api/v1/changes?wait=30&after=" + next);
  EXPECT_LT(world.environment().clock.steady_now() - before, std::chrono::seconds(6));
  EXPECT_EQ(json::parse(found.body).at("changes").get_array().size(), 1U);
}

TEST_F(ApiServerTest, AnOwnerSeesItsOwnRecordsAndNobodyElses) {
  const auto own = ask("POST", "/api/v1/records", contact);
  const auto foreign = ask("POST", "/api/v1/records", R"({"kind":"contact","owner":"eve@contoso.example"})");
  ASSERT_EQ(foreign.status, 201) << foreign.body;
  token = make_token(store::ApiRole::mailbox_owner);
  const auto path = [](const Recorder& answer) {
    return "/api/v1/records/" + std::string(json::parse(answer.body).at("id").get_string());
  };
  EXPECT_EQ(ask("GET", path(own)).status, 200);
  EXPECT_EQ(ask("GET", path(foreign)).status, 404);
  EXPECT_EQ(json::parse(ask("GET", "/api/v1/records").body).at("items").get_array().size(), 1U);
  EXPECT_EQ(json::parse(ask("GET", "/api/v1/changes").body).at("changes").get_array().size(), 1U);
  EXPECT_EQ(ask("GET", "/api/v1/records?owner=eve@contoso.example").body, "{\"items\":[],\"next\":null}\n");
  EXPECT_EQ(ask("DELETE", path(own), {}, {{"If-Match", "*"}}).status, 403);
}

}  // namespace
}  // namespace syncline::admin::api
