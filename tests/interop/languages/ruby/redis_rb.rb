# The scenario with redis-rb.
# frozen_string_literal: true

require 'redis'

PORT = Integer(ENV.fetch('REDIS_PORT'))
ODD = (0..255).to_a.pack('C*')
TEXT = "grüße\r\n€"
SCRIPT = "return {KEYS[1], ARGV[1], 7, {'x'}}"
INCREMENT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
OWN_ERROR = "return redis.error_reply('MINE own words')"

class NotHere < StandardError; end

def client(**options)
  Redis.new(port: PORT, **options)
end

def same(got, wanted)
  raise "#{got.inspect[0, 200]} instead of #{wanted.inspect[0, 200]}" unless got == wanted
end

def fails(beginning)
  got = yield
rescue Redis::BaseError => error
  raise "#{error.message} instead of #{beginning}" unless error.message.include?(beginning)
else
  raise "#{got.inspect} instead of an error with #{beginning}"
end

R = client
STEPS = {}

def step(name, &block)
  STEPS[name] = block
end

step 'strings' do
  R.flushall
  R.set(ODD, ODD)
  same R.get(ODD).b, ODD
  R.set('empty', '')
  same R.get('empty'), ''
  R.set('big', 'x' * 1_000_000)
  same R.get('big'), 'x' * 1_000_000
  R.set('text', TEXT)
  same R.get('text'), TEXT
  same R.strlen('text'), 12
  R.mset('a', 1, 'b', 2)
  same R.mget('a', 'none', 'b'), ['1', nil, '2']
  same R.incrby('a', 41), 42
  fails('ERR value is not an integer') { R.incr('text') }
  same R.append('b', '34'), 3
  same R.getrange('b', 1, -1), '34'
end

step 'expiry' do
  R.set('e', 1, px: 60_000)
  same R.pttl('e').between?(1, 60_000), true
  same R.persist('e'), true
  same R.ttl('e'), -1
  R.expire('e', 100)
  same R.ttl('e').between?(99, 100), true
  same R.ttl('none'), -2
  R.set('short', 'x', px: 30)
  sleep 0.06
  same R.get('short'), nil
  same R.set('e', 2, nx: true), false
  same R.getdel('e'), '1'
end

step 'hashes' do
  same R.hset('h', { 'f1' => 'v1', 'f2' => "\0\xff".b }), 2
  same R.hgetall('h').transform_values(&:b), { 'f1' => 'v1', 'f2' => "\0\xff".b }
  same R.hincrby('h', 'n', 5), 5
  same R.hincrbyfloat('h', 'n', 0.5), 5.5
  same R.hmget('h', 'f1', 'none'), ['v1', nil]
  same R.hexists('h', 'none'), false
  same R.hdel('h', 'f1', 'none'), 1
  same R.hlen('h'), 2
end

step 'sorted_sets' do
  same R.zadd('z', [[1, 'one'], [2.5, 'two'], ['inf', 'top']]), 3
  same R.zrange('z', 0, -1, with_scores: true), [['one', 1.0], ['two', 2.5], ['top', Float::INFINITY]]
  same R.zrangebyscore('z', '(1', '+inf'), %w[two top]
  same R.zincrby('z', 10, 'one'), 11.0
  same R.zrank('z', 'one'), 1
  same R.zrank('z', 'none'), nil
  same R.zscore('z', 'two'), 2.5
  same R.zpopmin('z'), ['two', 2.5]
  same R.zcard('z'), 2
end

step 'streams' do
  R.xgroup(:create, 's', 'g', '0', mkstream: true)
  ids = (1..3).map { |n| R.xadd('s', { n: n }) }
  same ids.uniq.size, 3
  same R.xlen('s'), 3
  read = R.xreadgroup('g', 'alice', 's', '>', count: 2)
  same read, { 's' => [[ids[0], { 'n' => '1' }], [ids[1], { 'n' => '2' }]] }
  same R.xpending('s', 'g')['size'], 2
  same R.xack('s', 'g', ids[0]), 1
  same R.xclaim('s', 'g', 'bob', 0, ids[1]), [[ids[1], { 'n' => '2' }]]
  same R.xrange('s').size, 3
  fails('BUSYGROUP') { R.xgroup(:create, 's', 'g', '0') }
end

step 'scan' do
  R.mapped_mset((0...500).to_h { |n| ["scan:#{n}", n] })
  found = R.scan_each(match: 'scan:*', count: 50).to_a.uniq
  same found.sort, (0...500).map { |n| "scan:#{n}" }.sort
end

step 'pipeline' do
  replies = R.pipelined { |pipe| 500.times { pipe.incr('p') } }
  same replies, (1..500).to_a
  # The first error of a pipeline is raised when all of it has been done.
  fails('WRONGTYPE') do
    R.pipelined do |pipe|
      pipe.lpush('p', 'x')
      pipe.incr('p')
    end
  end
  same R.get('p'), '501'
end

step 'transaction' do
  same(R.multi { |m| m.set('t', 1); m.incr('t') }, ['OK', 2])
  other = client
  done = R.watch('t') do
    other.set('t', 10)
    R.multi { |m| m.set('t', 0) }
  end
  same done, nil
  same R.get('t'), '10'
  other.close
end

step 'script' do
  same R.eval(SCRIPT, ['k'], ['v']), ['k', 'v', 7, ['x']]
  fails('NOSCRIPT') { R.evalsha('0' * 40) }
  sha = R.script(:load, INCREMENT)
  same [3, 3].map { |n| R.evalsha(sha, ['counter'], [n]) }, [3, 6]
  fails('MINE') { R.eval(OWN_ERROR) }
end

step 'pubsub' do
  heard = []
  listener = Thread.new do
    own = client
    own.psubscribe('n*s') do |on|
      on.psubscribe { own.subscribe('news') }
      on.pmessage { |pattern, channel, data| heard << [pattern, channel, data] }
      on.message { |channel, data| heard << [channel, data] }
      on.subscribe { heard << :ready }
    end
  end
  500.times { heard.any? ? break : sleep(0.01) }
  same R.publish('news', "\0hello"), 2
  500.times { heard.size == 3 ? break : sleep(0.01) }
  same heard, [:ready, ['news', "\0hello"], ['n*s', 'news', "\0hello"]]
  listener.kill
end

step 'blocking' do
  same R.blpop('idle', timeout: 1), nil
  pusher = Thread.new { sleep 0.05; client.lpush('queue', 'job') }
  same R.blpop('queue', timeout: 5), %w[queue job]
  pusher.join
end

step 'resp3' do
  raise NotHere, 'speaks RESP2'
end

step 'tls' do
  place = { host: 'localhost', port: Integer(ENV.fetch('REDIS_TLS_PORT')), ssl: true }
  secure = client(**place, ssl_params: { ca_file: ENV.fetch('REDIS_CA') })
  same secure.ping, 'PONG'
  secure.set('secret', 's' * 100_000)
  same secure.get('secret'), 's' * 100_000
  begin
    client(**place, reconnect_attempts: 0).ping
  rescue OpenSSL::SSL::SSLError, Redis::CannotConnectError
    nil
  else
    raise 'a certificate of nobody was taken'
  end
end

step 'acl' do
  app = client(username: 'app', password: 'sesame')
  app.set('app:k', 'v')
  same app.get('app:k'), 'v'
  fails('NOPERM') { app.get('other') }
  fails('WRONGPASS') { client(username: 'app', password: 'wrong').ping }
end

step 'cluster' do
  raise NotHere, 'no cluster' unless ENV['REDIS_CLUSTER_PORT']

  many = Redis.new(cluster: ["redis://127.0.0.1:#{ENV['REDIS_CLUSTER_PORT']}"])
  100.times { |n| many.set("c:#{n}", n) }
  same (0...100).map { |n| many.get("c:#{n}") }, (0...100).map(&:to_s)
  many.mset('{tag}a', 1, '{tag}b', 2)
  same many.mget('{tag}a', '{tag}b'), %w[1 2]
  both = "return redis.call('MGET', KEYS[1], KEYS[2])"
  same many.eval(both, ['{tag}a', '{tag}b']), %w[1 2]
end

$stdout.sync = true
puts "version redis-rb #{Redis::VERSION}"
failed = STEPS.count do |name, block|
  block.call
  puts "ok #{name}"
  false
rescue NotHere => error
  puts "none #{name}: #{error.message}"
  false
rescue StandardError => error
  warn error.full_message
  puts "fail #{name}: #{error.class} #{error.message}".tr("\r\n", ' ')
  true
end
exit(failed.zero?)
