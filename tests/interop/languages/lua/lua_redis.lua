-- The scenario with lua-redis.
local redis = require 'redis'
local socket = require 'socket'

local PORT = tonumber(os.getenv 'REDIS_PORT')
local TEXT = 'grüße\r\n€'
local SCRIPT = "return {KEYS[1], ARGV[1], 7, {'x'}}"
local INCREMENT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
local OWN_ERROR = "return redis.error_reply('MINE own words')"

-- Commands that are younger than the client.
for _, name in ipairs { 'xadd', 'xlen', 'xgroup', 'xreadgroup', 'xpending', 'xack', 'xclaim', 'xrange', 'getdel', 'zpopmin' } do
  redis.commands[name] = redis.command(name:upper())
end
redis.commands.pttl = redis.command('PTTL')

local odd = {}
for n = 0, 255 do odd[#odd + 1] = string.char(n) end
odd = table.concat(odd)

local function client() return redis.connect('127.0.0.1', PORT) end
local r = client()

local function shown(value)
  if type(value) ~= 'table' then return tostring(value) end
  local parts, keys = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do parts[#parts + 1] = tostring(key) .. '=' .. shown(value[key]) end
  return '{' .. table.concat(parts, ',') .. '}'
end

local function same(got, wanted)
  if type(got) ~= type(wanted) or shown(got) ~= shown(wanted) then
    error(shown(got):sub(1, 200) .. ' instead of ' .. shown(wanted):sub(1, 200), 2)
  end
end

local function fails(part, call, ...)
  local fine, text = pcall(call, ...)
  if fine or not tostring(text):find(part, 1, true) then
    error(shown(text) .. ' instead of an error with ' .. part, 2)
  end
end

local function none(why) error({ none = why }, 0) end

local steps = {
  { 'strings', function()
    r:flushall()
    r:set(odd, odd)
    same(r:get(odd), odd)
    r:set('empty', '')
    same(r:get('empty'), '')
    r:set('big', ('x'):rep(1000000))
    same(r:get('big'), ('x'):rep(1000000))
    r:set('text', TEXT)
    same(r:get('text'), TEXT)
    same(r:strlen('text'), 12)
    r:mset({ a = '1', b = '2' })
    local values = r:mget('a', 'none', 'b')
    same({ values[1], tostring(values[2]), values[3] }, { '1', 'nil', '2' })
    same(r:incrby('a', 41), 42)
    fails('ERR value is not an integer', r.incr, r, 'text')
    same(r:append('b', '34'), 3)
    same(r:getrange('b', 1, -1), '34')
  end },
  { 'expiry', function()
    r:set('e', '1', 'PX', 60000)
    local left = r:pttl('e')
    same(left > 0 and left <= 60000, true)
    same(r:persist('e'), true)
    same(r:ttl('e'), -1)
    r:expire('e', 100)
    left = r:ttl('e')
    same(left == 99 or left == 100, true)
    same(r:ttl('none'), -2)
    r:set('short', 'x', 'PX', 30)
    socket.sleep(0.06)
    same(r:get('short'), nil)
    same(r:set('e', '2', 'NX'), nil)
    same(r:getdel('e'), '1')
  end },
  { 'hashes', function()
    same(r:hmset('h', { f1 = 'v1', f2 = '\0\255' }), true)
    same(r:hgetall('h'), { f1 = 'v1', f2 = '\0\255' })
    same(r:hincrby('h', 'n', 5), 5)
    same(tonumber(r:hincrbyfloat('h', 'n', 0.5)), 5.5)
    same(r:hmget('h', 'f1', 'f2'), { 'v1', '\0\255' })
    same(r:hexists('h', 'none'), false)
    same(r:hdel('h', 'f1', 'none'), 1)
    same(r:hlen('h'), 2)
  end },
  { 'sorted_sets', function()
    same(r:zadd('z', 1, 'one', 2.5, 'two', 'inf', 'top'), 3)
    same(r:zrange('z', 0, -1, { withscores = true }), { { 'one', '1' }, { 'two', '2.5' }, { 'top', 'inf' } })
    same(r:zrangebyscore('z', '(1', '+inf'), { 'two', 'top' })
    same(tonumber(r:zincrby('z', 10, 'one')), 11)
    same(r:zrank('z', 'one'), 1)
    same(r:zrank('z', 'none'), nil)
    same(tonumber(r:zscore('z', 'two')), 2.5)
    same(r:zpopmin('z'), { 'two', '2.5' })
    same(r:zcard('z'), 2)
  end },
  { 'streams', function()
    r:xgroup('CREATE', 's', 'g', '0', 'MKSTREAM')
    local ids = {}
    for n = 1, 3 do ids[n] = r:xadd('s', '*', 'n', n) end
    same(ids[1] ~= ids[2] and ids[2] ~= ids[3], true)
    same(r:xlen('s'), 3)
    local read = r:xreadgroup('GROUP', 'g', 'alice', 'COUNT', 2, 'STREAMS', 's', '>')
    same(read, { { 's', { { ids[1], { 'n', '1' } }, { ids[2], { 'n', '2' } } } } })
    same(r:xpending('s', 'g')[1], 2)
    same(r:xack('s', 'g', ids[1]), 1)
    same(r:xclaim('s', 'g', 'bob', 0, ids[2]), { { ids[2], { 'n', '2' } } })
    same(#r:xrange('s', '-', '+'), 3)
    fails('BUSYGROUP', r.xgroup, r, 'CREATE', 's', 'g', '0')
  end },
  { 'scan', function()
    for n = 0, 499 do r:set('scan:' .. n, n) end
    local found, count, cursor = {}, 0, '0'
    repeat
      local page = r:scan(cursor, { match = 'scan:*', count = 50 })
      cursor = page[1]
      for _, key in ipairs(page[2]) do
        if not found[key] then found[key], count = true, count + 1 end
      end
    until cursor == '0'
    same(count, 500)
  end },
  { 'pipeline', function()
    local replies = r:pipeline(function(p)
      for _ = 1, 500 do p:incr('p') end
      p:incr('p')
    end)
    same(replies[501], 501)
  end },
  { 'transaction', function()
    local replies = r:transaction(function(t) t:set('t', 1) t:incr('t') end)
    same(replies, { true, 2 })
    local other = client()
    r:watch('t')
    other:set('t', 10)
    r:multi()
    r:set('t', 0)
    same(r:exec(), nil)
    same(r:get('t'), '10')
  end },
  { 'script', function()
    same(r:eval(SCRIPT, 1, 'k', 'v'), { 'k', 'v', 7, { 'x' } })
    fails('NOSCRIPT', r.evalsha, r, ('0'):rep(40), 0)
    local sha = r:script('load', INCREMENT)
    same(r:evalsha(sha, 1, 'counter', 3), 3)
    same(r:evalsha(sha, 1, 'counter', 3), 6)
    fails('MINE', r.eval, r, OWN_ERROR, 0)
  end },
  { 'pubsub', function()
    local listener, heard = client(), {}
    for message, abort in listener:pubsub({ subscribe = { 'news' }, psubscribe = { 'n*s' } }) do
      if message.kind == 'psubscribe' then
        same(r:publish('news', '\0hello'), 2)
      elseif message.kind:find 'message' then
        heard[#heard + 1] = { message.kind, message.channel, message.payload }
        if #heard == 2 then abort() end
      end
    end
    same(heard, { { 'message', 'news', '\0hello' }, { 'pmessage', 'news', '\0hello' } })
  end },
  { 'blocking', function()
    same(r:blpop('idle', 1), nil)
    -- The program has one thread: another one pushes.
    local push = ([[(sleep 0.3; lua5.1 -e "require 'redis'.connect('127.0.0.1', %d):lpush('queue', 'job')") &]])
    os.execute(push:format(PORT))
    same(r:blpop('queue', 10), { 'queue', 'job' })
    same(r:llen('queue'), 0)
  end },
  { 'resp3', function() none('speaks RESP2') end },
  { 'tls', function() none('knows no TLS') end },
  { 'acl', function()
    local app = client()
    redis.commands.login = redis.command('AUTH')
    app = client()
    same(app:login('app', 'sesame'), true)
    app:set('app:k', 'v')
    same(app:get('app:k'), 'v')
    fails('NOPERM', app.get, app, 'other')
    local wrong = client()
    fails('WRONGPASS', wrong.login, wrong, 'app', 'wrong')
  end },
  { 'cluster', function() none('knows no clusters') end },
}

io.stdout:setvbuf('line')
print('version lua-redis ' .. tostring(redis._VERSION):gsub('[^%d.]', ''))
local failed = false
for _, step in ipairs(steps) do
  local fine, why = pcall(step[2])
  if fine then
    print('ok ' .. step[1])
  elseif type(why) == 'table' and why.none then
    print('none ' .. step[1] .. ': ' .. why.none)
  else
    failed = true
    print('fail ' .. step[1] .. ': ' .. tostring(why):gsub('%z', '\\0'):gsub('%s+', ' '))
  end
end
os.exit(failed and 1 or 0)
