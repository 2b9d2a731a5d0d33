// SPDX-License-Identifier: GPL-3.0-or-later
// Negotiate with Kerberos against a real KDC: MIT krb5kdc on a free loopback port, in a folder of its own.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "auth/gssapi.hpp"
#include "tests/fake/auth/gss_acceptor.hpp"

namespace syncline::auth {
namespace {

using testing::GssAcceptor;
using testing::run;
using testing::ScriptedHttpClient;
using testing::SeenRequest;
using testing::url;

/// A port that was free a moment ago, for TCP and UDP.
int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(descriptor);
  return port;
}

bool accepts_connections(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool good = connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return good;
}

class Kerberos : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* program : {"/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local"}) {
      if (access(program, X_OK) != 0) {
        missing_ = program;
        return;
      }
    }
    std::string name = (std::filesystem::temp_directory_path() / "syncline-kdc-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    port_ = free_port();
    const std::string port = std::to_string(port_);
    std::ofstream(folder_ / "krb5.conf")
        << "[libdefaults]\n default_realm = EXAMPLE.COM\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
           " dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
           "[realms]\n EXAMPLE.COM = {\n  kdc = 127.0.0.1:"
        << port
        << "\n }\n"
           "[domain_realm]\n .example.com = EXAMPLE.COM\n"
           "[logging]\n kdc = FILE:"
        << (folder_ / "kdc.log").string() << "\n";
    std::ofstream(folder_ / "kdc.conf")
        << "[kdcdefaults]\n kdc_listen = 127.0.0.1:" << port << "\n kdc_tcp_listen = 127.0.0.1:" << port
        << "\n[realms]\n EXAMPLE.COM = {\n  database_name = " << (folder_ / "principal").string()
        << "\n  key_stash_file = " << (folder_ / "stash").string()
        << "\n  acl_file = " << (folder_ / "acl").string()
        << "\n  supported_enctypes = aes256-cts-hmac-sha1-96:normal\n }\n";
    setenv("KRB5_CONFIG", (folder_ / "krb5.conf").c_str(), 1);
    setenv("KRB5_KDC_PROFILE", (folder_ / "kdc.conf").c_str(), 1);
    setenv("KRB5_KTNAME", ("FILE:" + (folder_ / "server.keytab").string()).c_str(), 1);
    setenv("KRB5CCNAME", ("FILE:" + (folder_ / "none").string()).c_str(), 1);
    setenv("KRB5RCACHENAME", "none:", 1);
    command("/usr/sbin/kdb5_util create -s -r EXAMPLE.COM -P master-key");
    admin("addprinc -pw \"correct horse\" anna");
    admin("addprinc -randkey HTTP/mail.example.com");
    admin("addprinc -randkey service");
    admin("ktadd -k " + (folder_ / "server.keytab").string() + " HTTP/mail.example.com");
    admin("ktadd -k " + (folder_ / "client.keytab").string() + " service");
    kdc_ = fork();
    if (kdc_ == 0) {
      execl("/usr/sbin/krb5kdc", "krb5kdc", "-n", "-P", (folder_ / "pid").c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 600 && !accepts_connections(port_); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_TRUE(accepts_connections(port_)) << "krb5kdc does not listen";
  }

  static void TearDownTestSuite() {
    stop_kdc();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  static void stop_kdc() {
    if (kdc_ <= 0) return;
    kill(kdc_, SIGTERM);
    waitpid(kdc_, nullptr, 0);
    kdc_ = 0;
  }

  static void command(const std::string& line) {
    const std::string quiet = line + " >>" + (folder_ / "setup.log").string() + " 2>&1";
    ASSERT_EQ(std::system(quiet.c_str()), 0) << line;
  }
  static void admin(const std::string& query) {
    std::ofstream(folder_ / "query") << query << "\n";
    command("/usr/sbin/kadmin.local -r EXAMPLE.COM <" + (folder_ / "query").string());
  }

  void SetUp() override {
    if (!missing_.empty()) GTEST_SKIP() << missing_ << " is not installed";
  }

  struct Outcome {
    Result<std::unique_ptr<net::HttpExchange>> answer;
    std::string user;
    int legs;
  };
  Outcome talk(const Result<std::shared_ptr<net::Authenticator>>& authenticator,
               const std::string& server_binding = {}, const std::string& client_binding = {},
               const std::string& host = "mail.example.com") {
    EXPECT_TRUE(authenticator);
    GssAcceptor acceptor("Negotiate", server_binding);
    ScriptedHttpClient http([&](const SeenRequest& seen) { return acceptor.handle(seen); });
    http.channel_binding = client_binding;
    net::HttpOptions options;
    options.authenticator = *authenticator;
    net::HttpRequest request;
    request.url = url("https://" + host + "/EWS/Exchange.asmx");
    auto answer = run(context, http.open(request, options));
    return {std::move(answer), acceptor.user, acceptor.legs};
  }

  static PasswordCredentials anna(std::string_view password = "correct horse") {
    return {"anna@example.com", Secret(password)};
  }
  static constexpr NegotiateMechanisms kerberos_only{.kerberos = true, .ntlm = false};

  net::asio::io_context context;
  std::shared_ptr<BlockingPool> pool = std::make_shared<BlockingPool>(2);
  static inline std::filesystem::path folder_;
  static inline std::string missing_;
  static inline pid_t kdc_ = 0;
  static inline int port_ = 0;
};

TEST_F(Kerberos, APasswordGetsATicketAndSignsInInOneLeg) {
  const auto outcome = talk(make_negotiate(anna(), kerberos_only, pool));
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.user, "anna@EXAMPLE.COM");
  EXPECT_EQ(outcome.legs, 1);
}

TEST_F(Kerberos, AWrongPasswordIsTheKdcsRefusal) {
  const auto outcome = talk(make_negotiate(anna("wrong donkey"), kerberos_only, pool));
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().retry, RetryClass::reauthenticate) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.answer.error().describe().find("donkey"), std::string::npos);
  EXPECT_EQ(outcome.legs, 0) << "the server never saw it";
}

TEST_F(Kerberos, AKeyTableSignsInWithoutAPassword) {
  KerberosCredentials service;
  service.client_keytab = "FILE:" + (folder_ / "client.keytab").string();
  service.principal = "service@EXAMPLE.COM";
  const auto outcome = talk(make_negotiate(service, kerberos_only, pool));
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.user, "service@EXAMPLE.COM");
}

TEST_F(Kerberos, TheTicketIsBoundToTheTlsChannel) {
  const std::string hash(32, '\x5a');
  EXPECT_TRUE(talk(make_negotiate(anna(), kerberos_only, pool), hash, hash).answer);
  EXPECT_FALSE(talk(make_negotiate(anna(), kerberos_only, pool), hash, std::string(32, '\x11')).answer);
}

TEST_F(Kerberos, AServiceTheKdcDoesNotKnowIsAClearError) {
  const auto outcome = talk(make_negotiate(anna(), kerberos_only, pool), {}, {}, "other.example.com");
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().domain, ErrorDomain::auth);
  EXPECT_NE(outcome.answer.error().message.find("not found"), std::string::npos)
      << outcome.answer.error().describe();
}

TEST_F(Kerberos, LaterConnectionsUseTheTicketAndNotTheKdcAndThenItIsMissed) {
  auto authenticator = make_negotiate(anna(), kerberos_only, pool);
  ASSERT_TRUE(talk(authenticator).answer);
  stop_kdc();
  const auto second = talk(authenticator);
  EXPECT_TRUE(second.answer) << second.answer.error().describe();
  const auto fresh = talk(make_negotiate(anna(), kerberos_only, pool));
  ASSERT_FALSE(fresh.answer);
  EXPECT_EQ(fresh.answer.error().code, "kdc-unreachable") << fresh.answer.error().describe();
  EXPECT_EQ(fresh.answer.error().retry, RetryClass::after);
}

}  // namespace
}  // namespace syncline::auth
