// SPDX-License-Identifier: GPL-3.0-or-later
// The test Exchange with a key table, and with Extended Protection: our client and curl sign in over real
// sockets.
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <optional>

#include "auth/gssapi.hpp"
#include "net/http_client.hpp"
#include "net/system_environment.hpp"
#include "tests/real/kerberos/kdc.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/front/exchange_sim.hpp"

namespace syncline::auth {
namespace {

using exchange_sim::ChannelBinding;
using exchange_sim::Scheme;

constexpr const char* host = "mail.example.com";
constexpr NegotiateMechanisms kerberos_only{.kerberos = true, .ntlm = false};
constexpr const char* envelope =
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
    "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
    "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/"
    "types\"><s:Body><m:GetFolder><m:FolderShape>"
    "<t:BaseShape>Default</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/>"
    "</m:FolderIds></m:GetFolder></s:Body></s:Envelope>";

class ExchangeSimKerberos : public testing::WithKdc {
 protected:
  void start(std::vector<Scheme> schemes, ChannelBinding binding, bool with_keytab = true) {
    net::SystemSettings settings;
    settings.resolve.push_back({host, 0, "127.0.0.1"});
    system_ = net::system_environment(context_.get_executor(), std::move(settings)).value();
    auto& environment = system_->get();
    service_.emplace(environment.clock, environment.random);
    exchange_sim::Site site;
    site.name = "onprem";
    site.hosts = {host};
    site.schemes = std::move(schemes);
    site.channel_binding = binding;
    if (with_keytab) site.keytab_file = (folder_ / "server.keytab").string();
    for (const char* name : {"anna", "service"}) {
      exchange_sim::User user;
      user.address = std::string(name) + "@example.com";
      user.principal = std::string(name) + "@EXAMPLE.COM";
      user.password = Secret(std::string_view("correct horse"));
      ASSERT_TRUE(service_->add_mailbox({user.address, name, "", {}}));
      site.users.push_back(std::move(user));
    }
    exchange_sim::Listener secure;
    secure.tls = true;
    site.listeners = {exchange_sim::Listener{}, secure};
    exchange_sim::Config config;
    config.sites.push_back(std::move(site));
    config.ca_file = (folder_ / "ca.pem").string();
    auto made = exchange_sim::ExchangeSim::create(environment, std::move(config), *service_);
    ASSERT_TRUE(made) << made.error().describe();
    sim_ = std::move(*made);
    const auto listening = sim_->listen();
    ASSERT_TRUE(listening) << listening.error().describe();
  }

  void TearDown() override {
    if (sim_) sim_->stop();
    // Until every connection has ended: what is left in the executor would outlive the environment it refers
    // to.
    context_.restart();
    context_.run_for(std::chrono::seconds(10));
    sim_.reset();
  }

  std::string url(bool tls) {
    for (const auto& endpoint : sim_->endpoints())
      if (endpoint.tls == tls) return endpoint.ews_url;
    return {};
  }
  std::uint16_t port(bool tls) {
    for (const auto& endpoint : sim_->endpoints())
      if (endpoint.tls == tls) return endpoint.port;
    return 0;
  }

  /// Status of one request of our client, or its error's code.
  std::string ask(const Result<std::shared_ptr<net::Authenticator>>& authenticator, bool tls) {
    EXPECT_TRUE(authenticator);
    auto client = net::make_http_client(system_->get()).value();
    net::HttpOptions options;
    options.authenticator = *authenticator;
    options.tls = net::TlsPolicy{.ca_file = (folder_ / "ca.pem").string()};
    net::HttpRequest request;
    request.method = "POST";
    request.url = net::parse_url(url(tls)).value();
    request.headers.set("Content-Type", "text/xml; charset=utf-8");
    request.body = std::make_shared<net::StringSource>(envelope);
    std::string outcome;
    const auto one = [&]() -> net::asio::awaitable<void> {
      auto response = co_await client->send(request, options);
      outcome = response ? std::to_string(response->status) : response.error().code;
      if (!response) detail_ = response.error().describe();
      context_.stop();
    };
    net::asio::co_spawn(context_, one(), net::asio::detached);
    context_.restart();
    context_.run();
    return outcome;
  }

  /// Status of one request of curl.
  std::string curl(const std::string& arguments, bool tls) {
    std::ofstream(folder_ / "request.xml") << envelope;
    // Its tickets come from the client key table, into a cache of its own.
    const std::string command =
        "KRB5_CLIENT_KTNAME=FILE:" + (folder_ / "client.keytab").string() +
        " KRB5CCNAME=FILE:" + (folder_ / "curl.cache").string() +
        " curl --silent --noproxy '*' --max-time 20 --cacert " + (folder_ / "ca.pem").string() +
        " --resolve " + host + ":" + std::to_string(port(tls)) + ":127.0.0.1 -o " +
        (folder_ / "curl.body").string() +
        " -w '%{http_code}' -H 'Content-Type: text/xml; charset=utf-8' --data-binary @" +
        (folder_ / "request.xml").string() + " " + arguments + " " + url(tls);
    context_.restart();
    std::thread server([this] { context_.run(); });
    std::string out;
    if (FILE* pipe = ::popen(command.c_str(), "r")) {
      std::array<char, 256> buffer{};
      while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
        out.append(buffer.data(), count);
      ::pclose(pipe);
    }
    context_.stop();
    server.join();
    context_.restart();
    while (!sim_->log().is_complete() && context_.run_one_for(std::chrono::seconds(10)) != 0) continue;
    EXPECT_TRUE(sim_->log().is_complete());
    return out;
  }

  /// Who signed in last, and how; or why nobody did.
  std::string last() {
    const auto& entry = sim_->log().entries().back();
    if (!entry.authenticated_as.empty()) return entry.scheme + " " + entry.authenticated_as;
    return entry.codes.empty() ? "nobody" : entry.codes.back();
  }

  static PasswordCredentials anna() {
    return {"anna@example.com", Secret(std::string_view("correct horse"))};
  }

  net::asio::io_context context_{1};
  std::unique_ptr<net::SystemEnvironment> system_;
  std::optional<exchange_sim::ExchangeService> service_;
  std::unique_ptr<exchange_sim::ExchangeSim> sim_;
  std::shared_ptr<BlockingPool> pool_ = std::make_shared<BlockingPool>(2);
  std::string detail_;
};

TEST_F(ExchangeSimKerberos, OurClientSignsInWithATicketOverHttpAndHttps) {
  start({Scheme::negotiate}, ChannelBinding::allow);
  for (const bool tls : {false, true}) {
    EXPECT_EQ(ask(make_negotiate(anna(), kerberos_only, pool_), tls), "200") << detail_ << last();
    EXPECT_EQ(last(), "negotiate anna@example.com");
  }
  KerberosCredentials service;
  service.client_keytab = "FILE:" + (folder_ / "client.keytab").string();
  service.principal = "service@EXAMPLE.COM";
  EXPECT_EQ(ask(make_negotiate(service, kerberos_only, pool_), true), "200") << detail_ << last();
  EXPECT_EQ(last(), "negotiate service@example.com");
}

TEST_F(ExchangeSimKerberos, CurlSignsInWithATicketOverHttpAndHttps) {
  start({Scheme::negotiate}, ChannelBinding::allow);
  for (const bool tls : {false, true}) {
    EXPECT_EQ(curl("--negotiate -u :", tls), "200") << last();
    EXPECT_EQ(last(), "negotiate service@example.com");
  }
  EXPECT_EQ(curl("", true), "401");
  EXPECT_EQ(curl("--ntlm -u 'EXAMPLE\\anna:correct horse'", true), "401") << "only Negotiate is offered";
}

TEST_F(ExchangeSimKerberos, WithoutAKeyTableNegotiateIsNtlm) {
  start({Scheme::negotiate}, ChannelBinding::require, false);
  const PasswordCredentials credentials{"EXAMPLE\\anna", Secret(std::string_view("correct horse"))};
  for (const bool tls : {false, true}) {
    EXPECT_EQ(ask(make_negotiate(credentials, {.kerberos = false, .ntlm = true}, pool_), tls), "200")
        << detail_ << last();
    EXPECT_EQ(last(), "negotiate anna@example.com");
  }
  EXPECT_EQ(curl("--negotiate -u :", true), "401") << "a ticket is of no use here";
}

TEST_F(ExchangeSimKerberos, WhereABindingIsRequiredATicketWithoutOneIsRefused) {
  start({Scheme::negotiate}, ChannelBinding::require);
  EXPECT_EQ(ask(make_negotiate(anna(), kerberos_only, pool_), true), "200") << detail_ << last();
  EXPECT_EQ(last(), "negotiate anna@example.com");
  // curl 7.88 binds no ticket to its channel.
  EXPECT_EQ(curl("--negotiate -u :", true), "401");
  EXPECT_NE(last().find("no channel binding"), std::string::npos) << last();
}

TEST_F(ExchangeSimKerberos, WhereABindingIsRequiredNtlmWithoutOneIsRefused) {
  start({Scheme::ntlm}, ChannelBinding::require);
  EXPECT_EQ(ask(make_ntlm(anna(), pool_), true), "200") << detail_ << last();
  EXPECT_EQ(last(), "ntlm anna@example.com");
  EXPECT_EQ(curl("--ntlm -u 'EXAMPLE\\anna:correct horse'", true), "401") << last();
  EXPECT_EQ(curl("--ntlm -u 'EXAMPLE\\anna:correct horse'", false), "200")
      << "there is no channel to bind to without TLS: " << last();
}

}  // namespace
}  // namespace syncline::auth
